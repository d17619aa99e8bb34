import type { TimeRange } from "../store.ts";

/** The rows of a TimeRange. Constants of the column's own type let DuckDB skip row groups by their minima and maxima. */
export const IN_RANGE = "ts_s >= $from::UINTEGER AND ts_s < $to::UINTEGER";

/**
 * A view to stand behind FROM, without the files that have no row of that time: each file costs a millisecond of planning. Rows of
 * other times may still be there. See FileSet.withRows.
 */
export function rowsOf(view: string, { fromSec, toSec }: TimeRange): string {
  return `rows_of(${view}, ${Math.max(0, Math.floor(fromSec))}, ${Math.max(0, Math.ceil(toSec))})`;
}

/** Start of the step that holds `ts_s`; steps are aligned to the epoch. `stepSec` is a number of ours, never text. */
export function stepSql(stepSec: number): string {
  if (!Number.isSafeInteger(stepSec) || stepSec < 1)
    throw new RangeError(`a step of ${stepSec} s is not possible`);
  return `(ts_s - ts_s % ${stepSec})::DOUBLE`;
}

/** Beyond the highest number of a bucket. */
const BUCKETS = 65_536;

/**
 * WITH terms, the last of which, `with_histograms`, has each row of `sums` and the histogram merged over the rows of `picked` in the same
 * group, as two lists `buckets` (ascending) and `counts`. Counts are whole numbers and stay exact.
 *
 * Weeks have millions of cells: each is told apart by one number, of its group and its bucket, which takes half as long as by the group's
 * own columns; and lists that are sorted when they are whole take half as long as aggregates with an order.
 */
export function mergedHistogramSql(picked: string, sums: string, group: string): string {
  return `numbered AS MATERIALIZED (SELECT *, row_number() OVER () AS id FROM ${sums}),
    cells AS (
      SELECT id * ${BUCKETS} + unnest(buckets) AS cell, unnest(counts) AS n
      FROM (SELECT id, buckets, counts FROM ${picked} JOIN numbered USING (${group}))),
    merged AS (SELECT cell, sum(n)::DOUBLE AS n FROM cells GROUP BY cell),
    lists AS (
      SELECT cell // ${BUCKETS} AS id, list_sort(list({b: (cell % ${BUCKETS})::USMALLINT, n: n})) AS sorted
      FROM merged GROUP BY cell // ${BUCKETS}),
    histograms AS (
      SELECT id, list_transform(sorted, lambda c: c.b) AS buckets, list_transform(sorted, lambda c: c.n) AS counts FROM lists),
    with_histograms AS (
      SELECT numbered.* EXCLUDE (id), buckets, counts FROM numbered LEFT JOIN histograms USING (id))`;
}
