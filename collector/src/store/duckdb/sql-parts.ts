/** The rows of a TimeRange. Constants of the column's own type let DuckDB skip row groups by their minima and maxima. */
export const IN_RANGE = "ts_s >= $from::UINTEGER AND ts_s < $to::UINTEGER";

/** Start of the step that holds `ts_s`; steps are aligned to the epoch. `stepSec` is a number of ours, never text. */
export function stepSql(stepSec: number): string {
  if (!Number.isSafeInteger(stepSec) || stepSec < 1)
    throw new RangeError(`a step of ${stepSec} s is not possible`);
  return `(ts_s - ts_s % ${stepSec})::DOUBLE`;
}

/**
 * Adds to each row of `sums` the histogram merged over the rows of `picked` in the same group, as two lists `buckets`
 * (ascending) and `counts`. Counts are whole numbers and stay exact.
 */
export function mergedHistogramSql(
  picked: string,
  sums: string,
  group: string,
  columns: string = "*",
): string {
  return `, cells AS (
      SELECT ${group}, unnest(buckets) AS bucket, unnest(counts) AS n FROM ${picked}),
    merged AS (
      SELECT ${group}, bucket, sum(n)::DOUBLE AS n FROM cells GROUP BY ${group}, bucket),
    histograms AS (
      SELECT ${group}, list(bucket ORDER BY bucket) AS buckets, list(n ORDER BY bucket) AS counts
      FROM merged GROUP BY ${group})
    SELECT ${columns} FROM ${sums} LEFT JOIN histograms USING (${group})`;
}
