import type { DerivedTable, RollUp, Rule } from "../rollups.ts";
import { TABLES } from "../tables.ts";
import { identifier } from "./column-types.ts";
import { mergedHistogramSql } from "./sql-parts.ts";
import { rangesSql } from "./store-file.ts";

/** A table of a file, and the columns that it has: files of older versions lack some. */
export interface SourceTable {
  sql: string;
  columns: ReadonlySet<string>;
}

/** A daemon reports a window in the 10 s after it. */
const WINDOW_SEC = 10;

/** Whole numbers of our own. */
export interface RowSpan {
  from: number;
  to: number;
}

/** INSERT of what the rows `span.from <= rowid < span.to` of the source come to. */
export function takeInSql(target: string, table: DerivedTable, source: SourceTable, span: RowSpan): string {
  const where = `rowid >= ${span.from} AND rowid < ${span.to}`;
  const { make } = table;
  if (make === "copy") {
    const names = Object.keys(TABLES[table.source]).filter((name) => source.columns.has(name));
    return `INSERT INTO ${target} BY NAME SELECT ${names.map(identifier).join(", ")} FROM ${source.sql} WHERE ${where}`;
  }
  if (make === "ranges") return `INSERT INTO ${target} BY NAME ${rangesSql(source.sql, where)}`;
  return `INSERT INTO ${target} BY NAME ${rollUpSql(make, source, where)}`;
}

function rollUpSql(rollUp: RollUp, source: SourceTable, where: string): string {
  const columns = Object.entries(rollUp.columns);
  const time = timeSql(rollUp.time);
  const keys = columns.filter(([, { rule }]) => rule === "key").map(([name]) => identifier(name));
  const group = ["unit_s", ...keys].join(", ");
  const needed = new Set(columns.map(([, { of }]) => of).filter((name) => name !== "ts_s"));
  const picked = `SELECT (${time} - ${time} % ${rollUp.unitSec})::UINTEGER AS unit_s, ts_s, ${[...needed]
    .map((name) => `${columnSql(source, name)} AS ${identifier(name)}`)
    .join(", ")} FROM ${source.sql} WHERE ${where}`;
  const sums = columns
    .map(([name, { rule, of }]) => [aggregateSql(rule, identifier(of)), identifier(name)])
    .filter(([sql]) => sql !== null)
    .map(([sql, name]) => `${sql} AS ${name}`);
  const stamp = rollUp.stamp === "start" ? "unit_s" : "max(ts_s)";
  const stamped = `SELECT ${[group, `${stamp} AS ts_s`, ...sums].join(", ")} FROM picked GROUP BY ${group}`;
  const names = ["ts_s", ...columns.map(([name]) => identifier(name))];
  const isHistogram = columns.some(([, { rule }]) => rule === "buckets");
  if (!isHistogram) return `WITH picked AS (${picked}) SELECT ${names.join(", ")} FROM (${stamped})`;
  const chosen = names.map((name) =>
    /^"(buckets|counts)"$/.test(name) ? `coalesce(${name}, []) AS ${name}` : name,
  );
  return `WITH picked AS (${picked}), sums AS (${stamped})${mergedHistogramSql("picked", "sums", group, chosen.join(", "))}`;
}

/** Null for what is no aggregate of a single column: keys, and histograms, which are merged bucket by bucket. */
function aggregateSql(rule: Rule, column: string): string | null {
  switch (rule) {
    case "key":
    case "buckets":
    case "counts":
      return null;
    case "sum":
      return `sum(${column})::DOUBLE`;
    case "count":
      return `count(${column})::DOUBLE`;
    case "max":
      return `max(${column})`;
    case "newest":
      return `arg_max(${column}, ts_s)`;
    case "newestText":
      return `coalesce(arg_max(nullif(${column}, ''), ts_s), '')`;
  }
  throw new TypeError(`there is no such rule: ${JSON.stringify(rule satisfies never)}`);
}

/** SELECT of rows as they arrived, in the columns of their roll-up. */
export function unrolledSql(rollUp: RollUp, source: SourceTable, where: string): string {
  const columns = Object.entries(rollUp.columns).map(([name, { rule, of }]) => {
    const column = columnSql(source, of);
    return `${rule === "count" ? `(${column} IS NOT NULL)::DOUBLE` : column} AS ${identifier(name)}`;
  });
  return `SELECT ${[`${timeSql(rollUp.time)}::UINTEGER AS ts_s`, ...columns].join(", ")} FROM ${source.sql} WHERE ${where}`;
}

function timeSql(time: RollUp["time"]): string {
  return time === "ts_s" ? "ts_s" : `greatest(ts_s::BIGINT - ts_s % ${WINDOW_SEC} - ${WINDOW_SEC}, 0)`;
}

function columnSql(source: SourceTable, name: string): string {
  return source.columns.has(name) ? identifier(name) : "NULL";
}
