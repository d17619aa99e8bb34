import { DERIVED, type DerivedKind, type RollUp, TIERED_TABLES } from "../rollups.ts";
import { TABLE_NAMES, type TableName } from "../tables.ts";
import { identifier } from "./column-types.ts";
import type { FileSet } from "./file-set.ts";
import { unrolledSql } from "./rollup-sql.ts";
import { periodOf, type StoreFile } from "./store-file.ts";

/** SELECT of the rows that one file has of a view. */
export interface ViewArm {
  sql: string;
  file: StoreFile;
  /** Of the file. */
  table: string;
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
    const rollUp = DERIVED.minutes[table]?.make as RollUp;
    const { source } = DERIVED.minutes[table] ?? { source: "requests" };
    views.set(
      `${table}_raw`,
      hot.map((file) => ({
        sql: unrolledSql(rollUp, files.source(file, source), "true"),
        file,
        table: source,
      })),
    );
    for (const kind of ["minutes", "hours"] as const) {
      const columns = ["ts_s", ...Object.keys(rollUp.columns)].map(identifier).join(", ");
      const rolled = files.of(kind).map((file) => {
        const found = files.tableIn(file, table);
        const sql = `SELECT ${found === table ? "*" : columns} FROM ${inFile(file.catalog, found)}`;
        return { sql, file, table: found };
      });
      const unrolled = hotLeft(files, kind).map((file) => ({
        sql: unrolledSql(rollUp, files.source(file, source), `rowid >= ${markSql(files, kind, file, table)}`),
        file,
        table: source,
      }));
      views.set(`${table}_${kind}`, [...rolled, ...unrolled]);
    }
  }
  return views;
}

/** All of them as one. */
export function unionSql(arms: readonly ViewArm[]): string {
  return arms.map(({ sql }) => sql).join(" UNION ALL BY NAME ");
}

function recordArms(files: FileSet, kind: "records" | "traces", table: string): ViewArm[] {
  const kept = kind === "traces" ? files.of("sampled", "traces") : files.of("records");
  const source = DERIVED[kind][table]?.source ?? (table as TableName);
  const columns = table === "batch_ranges" ? "stream, number AS first, number AS last" : "*";
  return [
    ...kept.map((file) => ({ sql: `SELECT * FROM ${inFile(file.catalog, table)}`, file, table })),
    ...hotLeft(files, kind).map((file) => ({
      sql: `SELECT ${columns} FROM ${inFile(file.catalog, source)} WHERE rowid >= ${markSql(files, kind, file, table)}`,
      file,
      table: source,
    })),
  ];
}

/** Hot files with rows that files of the kind do not have yet, or may still get. */
function hotLeft(files: FileSet, kind: DerivedKind): StoreFile[] {
  return files.of("hot").filter((file) => !files.isTaken(file, kind));
}

/** How many rows of a hot file's table the files of the kind have taken in. A subquery: the mark of its very snapshot. */
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
