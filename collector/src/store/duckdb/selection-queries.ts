import type {
  MetricValues,
  SampledTrace,
  Selection,
  SelectionQueries,
  StoredTrace,
  TimeRange,
} from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import { rowsOf } from "./sql-parts.ts";
import type { Tiers } from "./tier.ts";
import { IS_FETCHED, SUMMARY, type SummaryRow, storedTrace } from "./trace-queries.ts";
import { IS_WORTH } from "./trace-thinner.ts";

/** Traces are stored by their start, selected by their end, as requests are counted: requests beyond this are not found. */
const LONGEST_SEC = 3_600;
/** `ts_s` is a u32. */
const NO_END_SEC = 4_294_967_295;
/** Seconds of a request that are looked at. */
const AROUND_SEC = 60;
const HOST_METRICS = ["cpuStealRatio", "psiCpuSomeRatio", "psiMemorySomeRatio", "psiIoSomeRatio"] as const;
const PROCESS_METRICS = ["gcPauseMs", "eventLoopDelayP99Ms"] as const;

/** Kept traces of the action that ended in the range, each with whether it is in the selection. */
const picked = (traces: string): string => `picked AS (
  SELECT *, coalesce(end_ms >= $selectedFrom AND end_ms < $selectedTo AND duration_us > $minUs AND duration_us <= $maxUs, false)
    AS is_selected
  FROM (SELECT *, start_ms + duration_us / 1000 AS end_ms FROM ${traces}
    WHERE ts_s >= greatest(0, $from - ${LONGEST_SEC})::UINTEGER AND ts_s < $to::UINTEGER
      AND app = $app AND action = $action AND NOT ${IS_FETCHED})
  WHERE end_ms >= $from::DOUBLE * 1000 AND end_ms < $to::DOUBLE * 1000)`;

/** Most rows are of other seconds, and telling that by a number takes half as long as by host and instance too. */
const ofTheirTimes = (rows: string): string =>
  `(SELECT * FROM ${rows} WHERE ts_s IN (SELECT second FROM seconds))`;

type SampleRow = SummaryRow &
  Pick<SampledTrace, "isSelected" | "frame" | "appVersion"> &
  MetricValues & { keptThere: number };

export class DuckDbSelectionQueries implements SelectionQueries {
  readonly #query: Query;
  readonly #tiers: Tiers;

  constructor(query: Query, tiers: Tiers) {
    this.#query = query;
    this.#tiers = tiers;
  }

  async slowest(selection: Selection, limit: number): Promise<StoredTrace[]> {
    const rows = await this.#query(
      `WITH ${picked(rowsOf("traces", reached(selection.range)))}
       SELECT ${SUMMARY} FROM picked WHERE is_selected
       ORDER BY duration_us DESC, start_ms DESC, trace_id LIMIT $limit`,
      { ...selectionValues(selection), limit },
    );
    return (rows as unknown as SummaryRow[]).map(storedTrace);
  }

  /**
   * Trace ids are random, so that the first of them are a fair sample, and the same one each time. Where a part of the range
   * is so old that its traces were thinned out, only those that outlive that are compared: else age would show as a difference.
   */
  async sample(
    selection: Selection,
    limit: number,
  ): Promise<{ traces: SampledTrace[]; keptSelected: number; keptRest: number }> {
    const isThinned = selection.range.fromSec < this.#tiers.keptFromSec("traces");
    const range = reached(selection.range);
    const traces = rowsOf("traces", range);
    const seconds = { ...range, toSec: range.toSec + AROUND_SEC };
    const rows = await this.#query(
      `WITH ${picked(traces)},
       comparable AS (SELECT *, ${isThinned ? `coalesce(${IS_WORTH}, false)` : "true"} AS is_comparable FROM picked),
       sampled AS (
         SELECT trace_id, root_span_id, ts_s, host, instance, start_ms, end_ms, is_selected,
           count(*) OVER (PARTITION BY is_selected)::DOUBLE AS kept_there
         FROM comparable
         QUALIFY is_comparable
           AND row_number() OVER (PARTITION BY is_selected, is_comparable ORDER BY trace_id, root_span_id) <= $limit),
       seconds AS (
         SELECT trace_id, root_span_id, host, instance,
           unnest(range((start_ms // 1000)::BIGINT, least(end_ms // 1000, start_ms // 1000 + ${AROUND_SEC - 1})::BIGINT + 1))
             ::UINTEGER AS second
         FROM sampled),
       of_host AS (
         SELECT trace_id, root_span_id, ${HOST_METRICS.map((name) => `max(h."${name}") AS "${name}"`).join(", ")}
         FROM seconds JOIN ${ofTheirTimes(rowsOf("host_seconds", seconds))} AS h ON h.host = seconds.host AND h.ts_s = second GROUP BY ALL),
       of_process AS (
         SELECT trace_id, root_span_id, ${PROCESS_METRICS.map((name) => `max(p."${name}") AS "${name}"`).join(", ")}
         FROM seconds JOIN ${ofTheirTimes(rowsOf("process_seconds", seconds))} AS p
           ON p.host = seconds.host AND p.instance = seconds.instance AND p.ts_s = second GROUP BY ALL),
       versions AS (
         SELECT host, instance, any_value(app_version) AS app_version FROM ${rowsOf("instances", { ...range, toSec: NO_END_SEC })}
         WHERE app = $app AND ts_s >= greatest(0, $from - ${LONGEST_SEC})::UINTEGER GROUP BY ALL)
       SELECT ${SUMMARY}, frame, is_selected AS "isSelected", kept_there AS "keptThere", app_version AS "appVersion",
         of_host.* EXCLUDE (trace_id, root_span_id), of_process.* EXCLUDE (trace_id, root_span_id)
       FROM sampled
         JOIN (SELECT trace_id, root_span_id, ts_s, action, kind, app, duration_us, status, error, spans, reason, repeats, verdict,
             frame FROM ${traces} WHERE app = $app AND action = $action AND NOT ${IS_FETCHED})
           USING (trace_id, root_span_id, ts_s)
         LEFT JOIN of_host USING (trace_id, root_span_id)
         LEFT JOIN of_process USING (trace_id, root_span_id)
         LEFT JOIN versions USING (host, instance)
       ORDER BY trace_id, root_span_id`,
      { ...selectionValues(selection), limit },
    );
    const sampled = rows as unknown as SampleRow[];
    return {
      traces: sampled.map(sampledTrace),
      keptSelected: sampled.find((row) => row.isSelected)?.keptThere ?? 0,
      keptRest: sampled.find((row) => !row.isSelected)?.keptThere ?? 0,
    };
  }
}

/** From where on requests began that ended in the range. */
function reached({ fromSec, toSec }: TimeRange): TimeRange {
  return { fromSec: Math.max(0, fromSec - LONGEST_SEC), toSec };
}

function sampledTrace(row: SampleRow): SampledTrace {
  const { isSelected, keptThere: _, frame, appVersion, ...trace } = row;
  const around = Object.fromEntries(
    [...HOST_METRICS, ...PROCESS_METRICS].map((name) => [name, row[name] ?? null]),
  );
  return { ...storedTrace(trace), isSelected, frame, appVersion, around };
}

function selectionValues({ range, app, action, selected, minUs, maxUs }: Selection): SqlValues {
  return {
    from: range.fromSec,
    to: range.toSec,
    app,
    action,
    selectedFrom: selected.fromSec * 1000,
    selectedTo: selected.toSec * 1000,
    minUs,
    maxUs,
  };
}
