/** Of the others, one in so many is kept. */
const KEPT_ONE_IN = 10;

/** Slow and failed ones, and a tenth of the rest by trace id, so that a trace's parts go together. */
export const IS_WORTH_BY_REASON: string = `error OR reason IN ('slow', 'error')
  OR coalesce(try_cast('0x' || right(trace_id, 8) AS UBIGINT), 0) % ${KEPT_ONE_IN} = 0`;

/** These, and those with a verdict. */
const IS_WORTH = `(${IS_WORTH_BY_REASON} OR verdict IS NOT NULL)`;

/**
 * Whether a row of the table is of a trace that is kept longer: all parts of one of which a part is worth it. `traces` are the tables of a day's files, of which an
 * upgrade leaves two.
 */
export function isSampledSql(table: string, traces: readonly string[]): string {
  const from = (column: string, where: string): string =>
    traces.map((one) => `SELECT ${column} FROM ${one} WHERE ${where}`).join(" UNION ALL ");
  const isKept = `trace_id IN (${from("trace_id", IS_WORTH)})`;
  return table === "traces"
    ? isKept
    : `frame_id IN (${from("frame_id", `frame_id IS NOT NULL AND ${isKept}`)})`;
}
