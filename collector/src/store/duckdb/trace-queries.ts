import type { RepeatedCall, Verdict } from "@apm-daemon/protocol";
import { DAY_SEC, HOUR_SEC } from "../rollups.ts";
import type {
  JudgedTraces,
  StoredTrace,
  StoredTracePart,
  TimeRange,
  TraceFilter,
  TraceQueries,
} from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import { highestSql, IN_RANGE, rowsOf } from "./sql-parts.ts";

/** Parts of one trace that are read at most: a bound for memory, far above what a trace should have. */
const MAX_PARTS = 500;

/** Traces of each set of apps that tell who calls whom: more would say the same. */
const SHARED_TRACES_PER_APPS = 10;

export const SUMMARY = `trace_id AS "traceId", root_span_id AS "rootSpanId", app, host, instance, action, kind,
  start_ms AS "startUnixMs", duration_us AS "durationUs", status, error, spans, reason, repeats, verdict`;

export const IS_FETCHED = "reason IN ('fetched', 'unfinished')";

/** Null for most; few pieces have the time of a trace, which spares looking through all of them. */
const OTHER_PIECES = `(SELECT list(bytes ORDER BY piece) FROM frame_pieces
  WHERE frame_pieces.ts_s = parts.ts_s AND frame_pieces.frame_id = parts.frame_id)`;

/** A row of the columns SUMMARY. */
export type SummaryRow = Omit<StoredTrace, "repeats" | "verdict"> & {
  repeats: string | null;
  verdict: string | null;
};
type PartRow = SummaryRow & { frame: Uint8Array; pieces: Uint8Array[] | null };

const ORDERS: Readonly<Record<TraceFilter["sort"], string>> = {
  slowest: "duration_us DESC, start_ms DESC, trace_id",
  recent: "start_ms DESC, trace_id",
};

const NEWEST_FIRST = "start_ms DESC, trace_id, root_span_id";

const CONFIDENCES: readonly Verdict["confidence"][] = ["high", "medium", "low"];
/** Of a verdict: how sure it is, the strongest cause, and what took the time. */
const JUDGED_BY = [
  "$.confidence",
  "$.causes[0].kind",
  "$.causes[0].share",
  "$.causes[0].target",
  "$.time.part",
  "$.time.target",
];

type JudgedFilter = Parameters<TraceQueries["judged"]>[0];

export class DuckDbTraceQueries implements TraceQueries {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  async list(filter: TraceFilter): Promise<StoredTrace[]> {
    const values: SqlValues = {
      from: filter.range.fromSec,
      to: filter.range.toSec,
      app: filter.app,
    };
    const conditions = [IN_RANGE, "app = $app", `NOT ${IS_FETCHED}`];
    for (const name of ["action", "error"] as const) {
      const value = filter[name];
      if (value === undefined) continue;
      conditions.push(`${name} = $${name}`);
      values[name] = value;
    }
    if (filter.hasRepeat !== undefined)
      conditions.push(filter.hasRepeat ? "repeats IS NOT NULL" : "repeats IS NULL");
    const rows = await this.#query(
      highestSql({
        columns: SUMMARY,
        rows: rowsOf("traces", filter.range),
        where: conditions.join(" AND "),
        by: filter.sort === "slowest" ? "duration_us" : "start_ms",
        order: ORDERS[filter.sort],
        limit: filter.limit,
      }),
      values,
    );
    return (rows as unknown as SummaryRow[]).map(storedTrace);
  }

  async parts(traceId: string): Promise<StoredTracePart[]> {
    const rows = await this.#query(
      `WITH parts AS (
         SELECT * FROM traces WHERE trace_id = $traceId
         QUALIFY row_number() OVER (PARTITION BY root_span_id ORDER BY spans DESC, ${IS_FETCHED}) = 1
         ORDER BY start_ms, root_span_id LIMIT ${MAX_PARTS})
       SELECT ${SUMMARY}, frame, ${OTHER_PIECES} AS pieces FROM parts ORDER BY start_ms, root_span_id`,
      { traceId },
    );
    return (rows as unknown as PartRow[]).map(storedPart);
  }

  async slowestParts(
    { range, app, actions }: { range: TimeRange; app: string; actions: readonly string[] },
    limit: number,
  ): Promise<StoredTracePart[]> {
    if (actions.length === 0) return [];
    const named = actions.map((action, i) => [`action${i}`, action] as const);
    const rows = await this.#query(
      `WITH parts AS (
         SELECT * FROM ${rowsOf("traces", range)}
         WHERE app = $app AND ${IN_RANGE} AND NOT ${IS_FETCHED} AND action IN (${named.map(([name]) => `$${name}`).join(", ")})
         ORDER BY ${ORDERS.slowest} LIMIT $limit)
       SELECT ${SUMMARY}, frame, ${OTHER_PIECES} AS pieces FROM parts ORDER BY ${ORDERS.slowest}`,
      { app, from: range.fromSec, to: range.toSec, limit, ...Object.fromEntries(named) },
    );
    return (rows as unknown as PartRow[]).map(storedPart);
  }

  async sharedParts(range: TimeRange, limit: number): Promise<StoredTracePart[]> {
    const rows = await this.#query(
      `WITH kept AS NOT MATERIALIZED (SELECT * FROM ${rowsOf("traces", range)} WHERE ${IN_RANGE} AND NOT ${IS_FETCHED}),
       -- Most traces have one part: counting is quick, telling parts and apps apart is not.
       several AS MATERIALIZED (SELECT hash(trace_id) AS hashed FROM kept GROUP BY hashed HAVING count(*) > 1),
       shared AS MATERIALIZED (
         SELECT trace_id, list(DISTINCT app ORDER BY app) AS apps, max(start_ms) AS newest_ms
         FROM kept WHERE hash(trace_id) IN (SELECT hashed FROM several) GROUP BY trace_id HAVING count(DISTINCT root_span_id) > 1),
       chosen AS (
         SELECT trace_id, newest_ms FROM shared
         QUALIFY row_number() OVER (PARTITION BY apps ORDER BY newest_ms DESC, trace_id) <= ${SHARED_TRACES_PER_APPS}),
       parts AS (
         SELECT kept.*, newest_ms FROM kept JOIN chosen USING (trace_id)
         ORDER BY newest_ms DESC, trace_id, start_ms LIMIT $limit)
       SELECT ${SUMMARY}, frame, ${OTHER_PIECES} AS pieces FROM parts ORDER BY newest_ms DESC, trace_id, start_ms`,
      { from: range.fromSec, to: range.toSec, limit },
    );
    return (rows as unknown as PartRow[]).map(storedPart);
  }

  /** The newest of an app are as a rule of the last day: the rest of the range is only looked through when they are not. */
  async judged(filter: JudgedFilter, limit: number): Promise<JudgedTraces[]> {
    const { range, app } = filter;
    const recent = { ...range, fromSec: Math.max(range.fromSec, range.toSec - DAY_SEC) };
    const [newest, apps] = await Promise.all([
      this.#judged({ ...filter, range: recent }, limit),
      app === undefined ? this.#apps(range) : [app],
    ]);
    const found = new Map<string, number>();
    for (const { app, traces } of newest) found.set(app, (found.get(app) ?? 0) + traces);
    if (recent.fromSec === range.fromSec || apps.every((one) => found.get(one) === limit)) return newest;
    return await this.#judged(filter, limit);
  }

  async #apps({ fromSec, toSec }: TimeRange): Promise<string[]> {
    const rows = await this.#query(
      `SELECT DISTINCT app FROM ${rowsOf("apps_hours", { fromSec: fromSec - HOUR_SEC, toSec })} WHERE ts_s > $from - ${HOUR_SEC} AND ts_s < $to`,
      { from: fromSec, to: toSec },
    );
    return rows.map(({ app }) => app as string);
  }

  async #judged({ range, app, thresholds }: JudgedFilter, limit: number): Promise<JudgedTraces[]> {
    // From when on the newest of each app are is known soon; few rows are then read whole.
    const rows = await this.#query(
      `WITH thresholds AS MATERIALIZED (SELECT key AS app, value::DOUBLE AS threshold_ms FROM json_each($thresholds::JSON)),
       slow AS NOT MATERIALIZED (
         SELECT * FROM ${rowsOf("traces", range)} LEFT JOIN thresholds USING (app)
         WHERE ${IN_RANGE} AND NOT ${IS_FETCHED} AND verdict IS NOT NULL
           AND duration_us > coalesce(threshold_ms, 0) * 1000${app === undefined ? "" : " AND app = $app"}),
       since AS MATERIALIZED (SELECT app, list_min(max(start_ms, ${limit})) AS since_ms FROM slow GROUP BY app),
       newest AS (
         SELECT slow.*, row_number() OVER (PARTITION BY app ORDER BY ${NEWEST_FIRST}) AS place
         FROM slow JOIN since USING (app) WHERE start_ms >= since_ms QUALIFY place <= $limit),
       judged AS MATERIALIZED (
         -- Half a surrogate pair, which a faulty daemon may send, is no JSON to DuckDB.
         SELECT *, TRY(json_extract_string(verdict, [${JUDGED_BY.map((path) => `'${path}'`).join(", ")}])) AS said, said[1] AS confidence,
           coalesce(said[2], '') AS cause, coalesce(CASE WHEN cause = '' THEN said[5] END, '') AS part,
           coalesce(CASE WHEN cause = '' THEN said[6] ELSE said[4] END, '') AS target
         FROM newest),
       same AS (
         SELECT app, count(*)::DOUBLE AS traces, ${CONFIDENCES.map((one) => `(count(*) FILTER (confidence = '${one}'))::DOUBLE AS ${one}`).join(", ")},
           arg_min(place, (list_position([${CONFIDENCES.map((one) => `'${one}'`).join(", ")}], confidence), -coalesce(said[3]::DOUBLE, 0), -duration_us, place)) AS place
         FROM judged GROUP BY app, cause, part, target)
       SELECT ${SUMMARY}, traces, high, medium, low FROM judged JOIN same USING (app, place)
       ORDER BY app, ${NEWEST_FIRST}`,
      {
        from: range.fromSec,
        to: range.toSec,
        limit,
        thresholds: JSON.stringify(Object.fromEntries(thresholds)),
        ...(app === undefined ? {} : { app }),
      },
    );
    return (rows as unknown as (SummaryRow & Omit<JudgedTraces, keyof StoredTrace>)[]).map(
      ({ traces, high, medium, low, ...row }) =>
        ({ ...storedTrace(row), traces, high, medium, low }) as JudgedTraces,
    );
  }
}

function storedPart({ frame, pieces, ...trace }: PartRow): StoredTracePart {
  return {
    ...storedTrace(trace),
    frame: pieces === null ? frame : Buffer.concat([frame, ...pieces]),
  };
}

export function storedTrace({ repeats, verdict, ...trace }: SummaryRow): StoredTrace {
  return {
    ...trace,
    ...(repeats === null ? {} : { repeats: JSON.parse(repeats) as RepeatedCall[] }),
    ...(verdict === null ? {} : { verdict: JSON.parse(verdict) as Verdict }),
  };
}
