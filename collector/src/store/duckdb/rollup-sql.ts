import type { DerivedTable, RollUp, Rule } from "../rollups.ts";
import { TABLES, type TableName } from "../tables.ts";
import { identifier } from "./column-types.ts";
import { rangesSql } from "./store-file.ts";
import { isSampledSql } from "./trace-sample.ts";

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

/** INSERT of what the rows `span.from <= rowid < span.to` of the source come to. `traces` are the tables of traces that belong to a source that is sampled. */
export function takeInSql(
  target: string,
  table: DerivedTable,
  source: SourceTable,
  span: RowSpan,
  traces: readonly string[] = [],
): string {
  const rows = `rowid >= ${span.from} AND rowid < ${span.to}`;
  const { make } = table;
  const where = make === "sample" ? `${rows} AND ${isSampledSql(table.source, traces)}` : rows;
  if (make === "copy" || make === "sample") {
    const names = Object.keys(TABLES[table.source as TableName]).filter((name) => source.columns.has(name));
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
  const names = ["ts_s", ...columns.map(([name]) => identifier(name))];
  const isHistogram = columns.some(([, { rule }]) => rule === "buckets");
  if (isHistogram)
    return histogramsSql(picked, names, [group, `${stamp} AS ts_s`, ...sums].join(", "), group);
  const stamped = `SELECT ${[group, `${stamp} AS ts_s`, ...sums].join(", ")} FROM picked GROUP BY ${group}`;
  return `WITH picked AS (${picked}) SELECT ${names.join(", ")} FROM (${stamped})`;
}

/**
 * Groups with their histograms merged. Most groups of a minute have few rows, many only one, whose histogram is the group's; the
 * others' cells are told apart by a number, not by all keys: that is five times as fast as grouping cells by these.
 */
function histogramsSql(picked: string, names: readonly string[], grouped: string, group: string): string {
  const merged = (name: string, field: "b" | "n", type: string): string =>
    `CASE WHEN len(parts) = 1 THEN parts[1].${field} ELSE coalesce(list_transform(sorted, lambda cell: cell.${field}), []) END::${type} AS ${name}`;
  const chosen = names.map((name) =>
    name === '"buckets"'
      ? merged(name, "b", "USMALLINT[]")
      : name === '"counts"'
        ? merged(name, "n", "DOUBLE[]")
        : name,
  );
  const cells = (field: "b" | "n"): string =>
    `unnest(flatten(list_transform(parts, lambda part: part.${field})))`;
  return `WITH picked AS (${picked}),
    grouped AS MATERIALIZED (
      SELECT ${grouped}, list({b: buckets, n: counts}) AS parts FROM picked GROUP BY ${group}),
    numbered AS MATERIALIZED (SELECT *, row_number() OVER () AS id FROM grouped),
    cells AS (SELECT id, ${cells("b")} AS bucket, ${cells("n")} AS n FROM numbered WHERE len(parts) > 1),
    merged AS (SELECT id, bucket, sum(n)::DOUBLE AS n FROM cells GROUP BY id, bucket),
    histograms AS (SELECT id, list_sort(list({b: bucket, n: n})) AS sorted FROM merged GROUP BY id)
    SELECT ${chosen.join(", ")} FROM numbered LEFT JOIN histograms USING (id)`;
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
    case "min":
      return `min(${column})`;
    case "newest":
      return `arg_max(${column}, ts_s)`;
    case "newestText":
      return `coalesce(arg_max(nullif(${column}, ''), ts_s), '')`;
  }
  throw new TypeError(`there is no such rule: ${JSON.stringify(rule satisfies never)}`);
}

/** Rows as they arrived, in the columns of their roll-up: what each is in SQL. */
export function unrolledColumns(rollUp: RollUp, source: SourceTable): ReadonlyMap<string, string> {
  const columns = Object.entries(rollUp.columns).map(([name, { rule, of }]): [string, string] => {
    const column = columnSql(source, of);
    return [name, rule === "count" ? `(${column} IS NOT NULL)::DOUBLE` : column];
  });
  return new Map([["ts_s", `${timeSql(rollUp.time)}::UINTEGER`], ...columns]);
}

function timeSql(time: RollUp["time"]): string {
  return time === "ts_s" ? "ts_s" : `greatest(ts_s::BIGINT - ts_s % ${WINDOW_SEC} - ${WINDOW_SEC}, 0)`;
}

function columnSql(source: SourceTable, name: string): string {
  return source.columns.has(name) ? identifier(name) : "NULL";
}
