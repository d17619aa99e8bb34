/** Of the others, one in so many is kept. */
const KEPT_ONE_IN = 10;

/** Slow and failed ones, and a tenth of the rest by trace id, so that a trace's parts go together. */
export const IS_WORTH_BY_REASON: string = `error OR reason IN ('slow', 'error')
  OR coalesce(try_cast('0x' || right(trace_id, 8) AS UBIGINT), 0) % ${KEPT_ONE_IN} = 0`;

/** These, and those with a verdict. */
const IS_WORTH = `(${IS_WORTH_BY_REASON} OR verdict IS NOT NULL)`;

/** Whether a row of a file's table is of a trace that is kept longer: all parts of one of which a part is worth it. `traces` is the file's table of them. */
export function isSampledSql(table: string, traces: string): string {
  const isKept = `trace_id IN (SELECT trace_id FROM ${traces} WHERE ${IS_WORTH})`;
  return table === "traces"
    ? isKept
    : `frame_id IN (SELECT frame_id FROM ${traces} WHERE frame_id IS NOT NULL AND ${isKept})`;
}
