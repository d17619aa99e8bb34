import {
  DAY_TABLES,
  DERIVED,
  type DerivedKind,
  MADE_OF,
  type RollUp,
  TIERED,
  TIERED_TABLES,
  type TieredTable,
} from "../rollups.ts";
import { TABLE_NAMES, TABLES, type TableName } from "../tables.ts";
import { identifier } from "./column-types.ts";
import type { FileSet } from "./file-set.ts";
import { type SourceTable, unrolledColumns } from "./rollup-sql.ts";
import { FILE_TABLES, isOfThisBuild, type StoreFile, takesIn } from "./store-file.ts";
import { EARLIER_SEC } from "./time-bounds.ts";

/** The rows that one file has of a view. */
export interface ViewArm {
  /** What each column of the view is there, in SQL; null for the columns of a table that another build made. */
  columns: ReadonlyMap<string, string> | null;
  /** What stands behind FROM. */
  rows: string;
  file: StoreFile;
  /** Of the file. */
  table: string;
  /** Of a file whose rows become others': only those that have not. */
  untaken?: Untaken;
}

/** Rows of a file's table that files of a kind do not have, in one of their tables. */
export interface Untaken {
  /** A name for it. */
  what: string;
  /** Whereto rows come. */
  source: string;
  /** Rows are about a time that is so much before theirs, at most. */
  earlierSec: number;
  /** SELECT of its name and the first second of them. */
  firstSql: string;
}

/** A table of files of which others are made, whichever of these files it is. */
export function sourceName(kind: "hot" | "hours", table: string): string {
  return `${kind} ${table}`;
}

/**
 * What the views over all files are made of, by name. Of a hot file, a view of derived tables reads the rows from the mark on: the mark comes from the
 * file that has the rows below it, in the same snapshot, so that at this seam no row is missing or there twice.
 */
export function viewArms(files: FileSet): Map<string, ViewArm[]> {
  const hot = files.of("hot");
  const views = new Map<string, ViewArm[]>();
  for (const table of TABLE_NAMES)
    views.set(
      table,
      hot.map((file) => whole(file, table)),
    );
  for (const kind of ["records", "traces"] as const)
    for (const table of Object.keys(DERIVED[kind])) views.set(table, recordArms(files, kind, table));
  for (const table of TIERED_TABLES) {
    const { source } = TIERED[table];
    views.set(
      `${table}_raw`,
      hot.map((file) => ({ ...unrolled(table, files.source(file, source)), file, table: source })),
    );
    for (const kind of ["minutes", "hours"] as const)
      views.set(`${table}_${kind}`, [...summed(files, kind, table), ...unsummed(files, kind, table)]);
  }
  for (const table of DAY_TABLES)
    views.set(`${table}_days`, [
      ...summed(files, "days", table),
      ...summed(files, "hours", table, "days"),
      ...unsummed(files, "hours", table),
    ]);
  return views;
}

/** Rows of the files of sums; those that files of another kind, made of them, do not have. */
function summed(
  files: FileSet,
  kind: "minutes" | "hours" | "days",
  table: TieredTable,
  unless?: DerivedKind,
): ViewArm[] {
  const columns = ["ts_s", ...Object.keys(rollUpOf(table).columns)];
  return (unless === undefined ? files.of(kind) : left(files, unless)).map((file) => {
    const found = files.tableIn(file, table);
    const arm: ViewArm =
      found === table
        ? whole(file, table)
        : { columns: named(columns), rows: inFile(file.catalog, found), file, table: found };
    if (unless === undefined) return arm;
    const where = `rowid >= ${markSql(files, unless, file, table)}`;
    const untaken = untakenOf(unless, file, table, {
      rows: arm.rows,
      where,
      source: sourceName("hours", table),
    });
    return { ...arm, rows: `${arm.rows} WHERE ${where}`, untaken };
  });
}

/** Rows as they arrived, that files of the kind do not have. */
function unsummed(files: FileSet, kind: "minutes" | "hours", table: TieredTable): ViewArm[] {
  return left(files, kind).map((file) => {
    const { source } = TIERED[table];
    const rows = files.source(file, source);
    const where = `rowid >= ${markSql(files, kind, file, table)}`;
    const untaken = untakenOf(kind, file, table, {
      rows: rows.sql,
      where,
      source: sourceName("hot", source),
      earlierSec: TIERED[table].time === "reported" ? EARLIER_SEC : 0,
    });
    const arm = unrolled(table, rows);
    return { ...arm, rows: `${arm.rows} WHERE ${where}`, file, table: source, untaken };
  });
}

function untakenOf(
  kind: DerivedKind,
  { catalog }: StoreFile,
  target: string,
  {
    rows,
    where,
    source,
    earlierSec = 0,
  }: { rows: string; where: string; source: string; earlierSec?: number },
): Untaken {
  const what = `${kind} ${target} of ${catalog}`;
  const firstSql = `SELECT ${text(what)} AS what, min(ts_s) AS first FROM ${rows} WHERE ${where}`;
  return { what, source, earlierSec, firstSql };
}

/** All of them as one, with all columns or those only that `isNamed` tells: binding takes time for each. */
export function unionSql(
  arms: readonly ViewArm[],
  isNamed: (column: string) => boolean = () => true,
): string {
  return arms
    .map(
      ({ columns, rows }) => `SELECT ${columns === null ? "*" : columnsSql(columns, isNamed)} FROM ${rows}`,
    )
    .join(" UNION ALL BY NAME ");
}

/** At least one: rows are counted without a name. */
function columnsSql(columns: ReadonlyMap<string, string>, isNamed: (column: string) => boolean): string {
  const all = [...columns];
  const found = all.filter(([name]) => isNamed(name));
  return (found.length > 0 ? found : all.slice(0, 1))
    .map(([name, sql]) => (sql === identifier(name) ? sql : `${sql} AS ${identifier(name)}`))
    .join(", ");
}

function named(columns: readonly string[]): ReadonlyMap<string, string> {
  return new Map(columns.map((name) => [name, identifier(name)]));
}

/** A table of a file as it is. */
function whole(file: StoreFile, table: string): ViewArm {
  const columns = isOfThisBuild(file) ? FILE_TABLES[file.kind][table] : undefined;
  return {
    columns: columns === undefined ? null : named(Object.keys(columns)),
    rows: inFile(file.catalog, table),
    file,
    table,
  };
}

/** Rows as they arrived, in the columns of the table that they are added up in. */
function unrolled(table: TieredTable, source: SourceTable): Pick<ViewArm, "columns" | "rows"> {
  return { columns: unrolledColumns(rollUpOf(table), source), rows: source.sql };
}

function rollUpOf(table: TieredTable): RollUp {
  return DERIVED.minutes[table]?.make as RollUp;
}

const RANGE_OF_A_BATCH: ReadonlyMap<string, string> = new Map([
  ["stream", "stream"],
  ["first", "number"],
  ["last", "number"],
]);

function recordArms(files: FileSet, kind: "records" | "traces", table: string): ViewArm[] {
  const source = DERIVED[kind][table]?.source ?? (table as TableName);
  return [
    ...(kind === "traces" ? tracesArms(files, table) : files.of(kind).map((file) => whole(file, table))),
    ...left(files, kind).map((file) => {
      const { columns, rows } = whole(file, source);
      const where = `rowid >= ${markSql(files, kind, file, table)}`;
      const arm: ViewArm = {
        columns: table === "batch_ranges" ? RANGE_OF_A_BATCH : columns,
        rows: `${rows} WHERE ${where}`,
        file,
        table: source,
      };
      if (!("ts_s" in TABLES[source as TableName])) return arm;
      const untaken = untakenOf(kind, file, table, { rows, where, source: sourceName("hot", source) });
      return { ...arm, untaken };
    }),
  ];
}

/** Traces that are kept longer, and of the others' files what has not been sampled. */
function tracesArms(files: FileSet, table: string): ViewArm[] {
  return [
    ...files.of("sampled").map((file) => whole(file, table)),
    ...files.of("traces").map((file) => {
      const arm = whole(file, table);
      return { ...arm, rows: `${arm.rows} WHERE rowid >= ${markSql(files, "sampled", file, table)}` };
    }),
  ];
}

/** Files with rows that files of the kind do not have yet, or may still get. */
function left(files: FileSet, kind: DerivedKind): StoreFile[] {
  return files.of(MADE_OF[kind]).filter((file) => !files.isTaken(file, kind));
}

/** How many rows of a file's table the files of the kind, which are made of such files, have taken in. A subquery: the mark of its very snapshot. */
export function markSql(
  files: FileSet,
  kind: DerivedKind,
  { catalog, period }: StoreFile,
  target: string,
): string {
  const marks = files
    .of(kind)
    .filter((file) => takesIn(file, period))
    .map(
      (file) =>
        `SELECT upto FROM ${inFile(file.catalog, "marks")} WHERE source = ${text(catalog)} AND target = ${text(files.tableIn(file, target))}`,
    );
  return marks.length === 0
    ? "0"
    : `(SELECT coalesce(max(upto), 0)::BIGINT FROM (${marks.join(" UNION ALL ")}))`;
}

function inFile(catalog: string, table: string): string {
  return `${identifier(catalog)}.main.${identifier(table)}`;
}

/** A text as an SQL literal. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
