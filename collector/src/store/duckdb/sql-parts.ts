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

/**
 * SELECT of the `limit` rows with the highest `by`, in an order that begins with it. What they need is learned from that column first: of wide
 * rows few are then read.
 */
export function highestSql(parts: {
  columns: string;
  rows: string;
  where: string;
  by: string;
  order: string;
  limit: number;
}): string {
  const { columns, rows, where, by, order, limit } = parts;
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`${limit} rows are not possible`);
  const least = `SELECT list_min(max(${by}, ${limit})) FROM ${rows} WHERE ${where}`;
  return `SELECT ${columns} FROM ${rows} WHERE ${where} AND ${by} >= (${least}) ORDER BY ${order} LIMIT ${limit}`;
}
