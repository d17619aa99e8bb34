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
import { unrolledSql } from "./rollup-sql.ts";
import { periodOf, type StoreFile } from "./store-file.ts";
import { EARLIER_SEC } from "./time-bounds.ts";

/** SELECT of the rows that one file has of a view. */
export interface ViewArm {
  sql: string;
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
  const all = (file: StoreFile, table: string): ViewArm => ({
    sql: `SELECT * FROM ${inFile(file.catalog, table)}`,
    file,
    table,
  });
  for (const table of TABLE_NAMES)
    views.set(
      table,
      hot.map((file) => all(file, table)),
    );
  for (const kind of ["records", "traces"] as const)
    for (const table of Object.keys(DERIVED[kind])) views.set(table, recordArms(files, kind, table));
  for (const table of TIERED_TABLES) {
    const { source } = TIERED[table];
    views.set(
      `${table}_raw`,
      hot.map((file) => ({
        sql: unrolledSql(rollUpOf(table), files.source(file, source), "true"),
        file,
        table: source,
      })),
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
  const columns = ["ts_s", ...Object.keys(rollUpOf(table).columns)].map(identifier).join(", ");
  return (unless === undefined ? files.of(kind) : left(files, unless)).map((file) => {
    const found = files.tableIn(file, table);
    const rows = inFile(file.catalog, found);
    const sql = `SELECT ${found === table ? "*" : columns} FROM ${rows}`;
    if (unless === undefined) return { sql, file, table: found };
    const where = `rowid >= ${markSql(files, unless, file, table)}`;
    const untaken = untakenOf(unless, file, table, { rows, where, source: sourceName("hours", table) });
    return { sql: `${sql} WHERE ${where}`, file, table: found, untaken };
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
    return { sql: unrolledSql(rollUpOf(table), rows, where), file, table: source, untaken };
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

/** All of them as one. */
export function unionSql(arms: readonly ViewArm[]): string {
  return arms.map(({ sql }) => sql).join(" UNION ALL BY NAME ");
}

function rollUpOf(table: TieredTable): RollUp {
  return DERIVED.minutes[table]?.make as RollUp;
}

function recordArms(files: FileSet, kind: "records" | "traces", table: string): ViewArm[] {
  const kept = kind === "traces" ? files.of("sampled", "traces") : files.of("records");
  const source = DERIVED[kind][table]?.source ?? (table as TableName);
  const columns = table === "batch_ranges" ? "stream, number AS first, number AS last" : "*";
  return [
    ...kept.map((file) => ({ sql: `SELECT * FROM ${inFile(file.catalog, table)}`, file, table })),
    ...left(files, kind).map((file) => {
      const rows = inFile(file.catalog, source);
      const where = `rowid >= ${markSql(files, kind, file, table)}`;
      const sql = `SELECT ${columns} FROM ${rows} WHERE ${where}`;
      if (!("ts_s" in TABLES[source as TableName])) return { sql, file, table: source };
      const untaken = untakenOf(kind, file, table, { rows, where, source: sourceName("hot", source) });
      return { sql, file, table: source, untaken };
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
    .filter((file) => file.period === periodOf(kind, period))
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
