import { HOST_METRICS, PROCESS_METRICS, type Verdict } from "@apm-daemon/protocol";
import type {
  ChosenTrace,
  DescribedTrace,
  MetricValues,
  Selection,
  SelectionQueries,
  StoredTrace,
  TimeRange,
} from "../store.ts";
import type { Query } from "./database-client.ts";
import { rowsOf } from "./sql-parts.ts";
import type { Tiers } from "./tier.ts";
import { IS_FETCHED, SUMMARY, type SummaryRow, storedTrace } from "./trace-queries.ts";
import { IS_WORTH_BY_REASON } from "./trace-sample.ts";

/** Traces are stored by their start, selected by their end, as requests are counted: requests beyond this are not found. */
const LONGEST_SEC = 3_600;
/** The slowest of a short time may have begun long before it, in a page's range that goes so far back. */
const LONGEST_OF_SLOWEST_SEC = 86_400;
/** `ts_s` is a u32. */
const NO_END_SEC = 4_294_967_295;
const MAX_KNOWN_VERSIONS = 10_000;
/** An instance of which nothing was stored is asked for again: a large batch comes in parts, the one with its traces first. */
const UNKNOWN_FRESH_MS = 600_000;
/** Seconds of a request that are looked at. */
const AROUND_SEC = 60;

/** Kept traces of the action that ended from `$from` on and before `$to`, and began in this range. */
const ended = (began: TimeRange): string => `(
  SELECT *, start_ms + duration_us / 1000 AS end_ms FROM ${rowsOf("traces", began)}
  WHERE ts_s >= ${began.fromSec}::UINTEGER AND ts_s < $to::UINTEGER
    AND app = $app AND action = $action AND NOT ${IS_FETCHED}
    AND end_ms >= $from::DOUBLE * 1000 AND end_ms < $to::DOUBLE * 1000)`;

const IS_OF_DURATION = "duration_us > $minUs AND duration_us <= $maxUs";

/** Between the values of a list that is bound as text. */
const SEPARATOR = "\u001f";
const joined = (values: Iterable<string | number>): string => [...values].join(SEPARATOR);
/** The values of `$name` as a list. */
const listSql = (name: string, type: "VARCHAR" | "UINTEGER"): string =>
  `string_split($${name}, chr(31))::${type}[]`;

/** What tells apart the parts of a trace that are of one action of one app; two of the same microseconds are taken for one. */
type RowKey = Pick<ChosenTrace, "traceId" | "startUnixMs" | "durationUs">;
interface DescribedRow extends RowKey, Pick<DescribedTrace, "kind" | "status" | "frame"> {
  verdict: string | null;
}
interface KnownVersion {
  /** Null: the instance does not tell, or nothing is stored of it. */
  version: string | null;
  isFound: boolean;
  askedUnixMs: number;
}

export class DuckDbSelectionQueries implements SelectionQueries {
  readonly #query: Query;
  readonly #tiers: Tiers;
  /** By app and instance, which is a process: its version never changes. */
  readonly #versionsByInstance: Map<string, KnownVersion> = new Map();
  readonly #clock: () => number;

  constructor(query: Query, tiers: Tiers, clock: () => number) {
    this.#query = query;
    this.#tiers = tiers;
    this.#clock = clock;
  }

  async slowest(
    { range, selected, app, action, minUs, maxUs }: Selection,
    limit: number,
  ): Promise<StoredTrace[]> {
    const fromSec = Math.max(reached(range).fromSec, selected.fromSec - LONGEST_OF_SLOWEST_SEC);
    const rows = await this.#query(
      `SELECT ${SUMMARY} FROM ${ended({ fromSec, toSec: selected.toSec })} WHERE ${IS_OF_DURATION}
       ORDER BY duration_us DESC, start_ms DESC, trace_id LIMIT $limit`,
      { from: selected.fromSec, to: selected.toSec, app, action, minUs, maxUs, limit },
    );
    return (rows as unknown as SummaryRow[]).map(storedTrace);
  }

  /**
   * Trace ids are random, so that the first of them are a fair sample, and the same one each time. Where a part of the range
   * is so old that its traces were thinned out, only those are compared that outlive that by their reason or id: else age would show as a
   * difference. Whether they have a verdict is not asked, which would mean to read it.
   */
  async sample(
    selection: Selection,
    limit: number,
  ): Promise<{ traces: ChosenTrace[]; keptSelected: number; keptRest: number }> {
    const { range, app, action, selected, minUs, maxUs } = selection;
    const isThinned = range.fromSec < this.#tiers.keptFromSec("traces");
    const rows = await this.#query(
      `SELECT trace_id AS "traceId", ts_s AS "tsSec", host, instance, start_ms AS "startUnixMs",
         duration_us AS "durationUs", is_selected AS "isSelected", count(*) OVER (PARTITION BY is_selected)::DOUBLE AS "keptThere"
       FROM (SELECT *, coalesce(end_ms >= $selectedFrom AND end_ms < $selectedTo AND ${IS_OF_DURATION}, false) AS is_selected,
           ${isThinned ? `coalesce(${IS_WORTH_BY_REASON}, false)` : "true"} AS is_comparable
         FROM ${ended(reached(range))})
       QUALIFY is_comparable
         AND row_number() OVER (PARTITION BY is_selected, is_comparable ORDER BY trace_id, start_ms, instance) <= $limit`,
      {
        from: range.fromSec,
        to: range.toSec,
        app,
        action,
        selectedFrom: selected.fromSec * 1000,
        selectedTo: selected.toSec * 1000,
        minUs,
        maxUs,
        limit,
      },
    );
    const traces = rows as unknown as (ChosenTrace & { keptThere: number })[];
    const keptWhere = (isSelected: boolean): number =>
      traces.find((row) => row.isSelected === isSelected)?.keptThere ?? 0;
    return { traces, keptSelected: keptWhere(true), keptRest: keptWhere(false) };
  }

  async described(
    selection: Selection,
    traces: readonly ChosenTrace[],
  ): Promise<ReadonlyMap<ChosenTrace, DescribedTrace>> {
    const described = new Map<ChosenTrace, DescribedTrace>();
    if (traces.length === 0) return described;
    const [rows, versions] = await Promise.all([
      this.#rows(selection, traces),
      this.#versions(selection, traces),
    ]);
    for (const chosen of traces) {
      const found = rows.get(rowKey(chosen));
      // Its retention may have ended in between.
      if (found === undefined) continue;
      const { traceId, host, instance, durationUs } = chosen;
      const { kind, status, verdict, frame } = found;
      const trace: DescribedTrace = {
        traceId,
        app: selection.app,
        host,
        instance,
        kind,
        durationUs,
        status,
        frame,
        appVersion: versions.get(instanceKey(chosen)) ?? null,
      };
      if (verdict !== null) trace.verdict = JSON.parse(verdict) as Verdict;
      described.set(chosen, trace);
    }
    return described;
  }

  hasSeconds(trace: ChosenTrace): boolean {
    return (secondsOf(trace).at(-1) ?? 0) >= this.#tiers.keptFromSec("rows");
  }

  async around(
    traces: readonly ChosenTrace[],
    metrics: readonly string[],
  ): Promise<ReadonlyMap<ChosenTrace, MetricValues>> {
    const of = (table: readonly { name: string }[]): string[] =>
      metrics.filter((metric) => table.some(({ name }) => name === metric));
    const [ofHost, ofProcess] = await Promise.all([
      this.#highest("host_seconds", ["host"], of(HOST_METRICS), traces),
      this.#highest("process_seconds", ["host", "instance"], of(PROCESS_METRICS), traces),
    ]);
    return new Map(traces.map((trace) => [trace, Object.assign(ofHost(trace), ofProcess(trace))]));
  }

  /** Versions of these traces' instances, by instance: most are known from earlier. */
  async #versions(
    { range, app }: Selection,
    chosen: readonly ChosenTrace[],
  ): Promise<ReadonlyMap<string, string | null>> {
    const nowMs = this.#clock();
    const versions = new Map<string, string | null>();
    let isAsked = false;
    for (const row of chosen) {
      const known = this.#versionsByInstance.get(joined([app, instanceKey(row)]));
      versions.set(instanceKey(row), known?.version ?? null);
      isAsked ||= known === undefined || isToAskAgain(known, nowMs);
    }
    if (!isAsked) return versions;
    const { fromSec } = reached(range);
    const rows = (await this.#query(
      `SELECT host, instance, any_value(app_version) AS "appVersion" FROM ${rowsOf("instances", { fromSec, toSec: NO_END_SEC })}
       WHERE app = $app AND ts_s >= $from::UINTEGER GROUP BY host, instance`,
      { app, from: fromSec },
    )) as unknown as { host: string; instance: string; appVersion: string | null }[];
    const found = new Map(rows.map((row) => [instanceKey(row), row.appVersion]));
    for (const [instance, version] of found)
      this.#versionsByInstance.set(joined([app, instance]), { version, isFound: true, askedUnixMs: nowMs });
    for (const [instance, version] of versions) {
      versions.set(instance, found.get(instance) ?? version);
      const key = joined([app, instance]);
      // What is known stays so when it is forgotten, or when an earlier question is answered later.
      if (!found.has(instance) && this.#versionsByInstance.get(key)?.isFound !== true)
        this.#versionsByInstance.set(key, { version: null, isFound: false, askedUnixMs: nowMs });
    }
    for (const key of this.#versionsByInstance.keys()) {
      if (this.#versionsByInstance.size <= MAX_KNOWN_VERSIONS) break;
      this.#versionsByInstance.delete(key);
    }
    return versions;
  }

  /**
   * What else is known of these traces, and their frames. Rows that fail a condition of the scan are not read whole, those that fail a join are; and
   * conditions are planned for each file anew. So there is one alone, on the second: few others began in the same.
   */
  async #rows(
    { range, app, action }: Selection,
    chosen: readonly ChosenTrace[],
  ): Promise<Map<string, DescribedRow>> {
    const rows = await this.#query(
      `SELECT trace_id AS "traceId", start_ms AS "startUnixMs", duration_us AS "durationUs", kind, status, verdict, frame
       FROM ${rowsOf("traces", reached(range))}
       WHERE list_contains(${listSql("times", "UINTEGER")}, ts_s) AND app = $app AND action = $action AND NOT ${IS_FETCHED}`,
      { app, action, times: joined(new Set(chosen.map(({ tsSec }) => tsSec))) },
    );
    return new Map((rows as unknown as DescribedRow[]).map((row) => [rowKey(row), row]));
  }

  /** The highest values in one table, whose rows are told apart by these keys and their second; two daemons of one name may both have a row. */
  async #highest(
    view: "host_seconds" | "process_seconds",
    keys: readonly ("host" | "instance")[],
    metrics: readonly string[],
    chosen: readonly ChosenTrace[],
  ): Promise<(trace: ChosenTrace) => MetricValues> {
    const keyOf = (row: { host: string; instance: string }): string => joined(keys.map((key) => row[key]));
    // A separator in a name would shift the lists against each other.
    const wanted = chosen
      .filter(({ host, instance }) => !`${host}${instance}`.includes(SEPARATOR))
      .flatMap((row) => secondsOf(row).map((second) => ({ row, second })));
    if (wanted.length === 0 || metrics.length === 0)
      return () => Object.fromEntries(metrics.map((name) => [name, null]));
    const seconds = wanted.map(({ second }) => second);
    const rowsThen = rowsOf(view, { fromSec: Math.min(...seconds), toSec: Math.max(...seconds) + 1 });
    const lists = [
      ...keys.map((key) => `unnest(${listSql(key, "VARCHAR")}) AS ${key}`),
      `unnest(${listSql("seconds", "UINTEGER")}) AS ts_s`,
    ];
    const rows = (await this.#query(
      `SELECT ${keys.join(", ")}, ts_s AS second, ${metrics.map((name) => `max("${name}") AS "${name}"`).join(", ")}
       FROM (SELECT * FROM ${rowsThen} WHERE ts_s IN (SELECT unnest(${listSql("seconds", "UINTEGER")})))
         JOIN (SELECT DISTINCT ${lists.join(", ")}) USING (${keys.join(", ")}, ts_s)
       GROUP BY ${keys.join(", ")}, ts_s`,
      {
        ...Object.fromEntries(keys.map((key) => [key, joined(wanted.map(({ row }) => row[key]))])),
        seconds: joined(seconds),
      },
    )) as unknown as (MetricValues & { host: string; instance: string; second: number })[];
    const known = new Map(rows.map((row) => [keyOf(row) + SEPARATOR + row.second, row]));
    return (trace) => {
      const key = keyOf(trace) + SEPARATOR;
      const own = secondsOf(trace).map((second) => known.get(key + second));
      return Object.fromEntries(
        metrics.map((name) => [name, highest(own.map((second) => second?.[name] ?? null))]),
      );
    };
  }
}

function highest(values: readonly (number | null)[]): number | null {
  const measured = values.filter((value) => value !== null);
  return measured.length === 0 ? null : Math.max(...measured);
}

function instanceKey({ host, instance }: { host: string; instance: string }): string {
  return joined([host, instance]);
}

function rowKey({ traceId, startUnixMs, durationUs }: RowKey): string {
  return joined([traceId, startUnixMs, durationUs]);
}

function isToAskAgain({ isFound, askedUnixMs }: KnownVersion, nowUnixMs: number): boolean {
  const agoMs = nowUnixMs - askedUnixMs;
  return !isFound && (agoMs < 0 || agoMs >= UNKNOWN_FRESH_MS);
}

/** Unix seconds in which the request ran, 1 to 60. */
function secondsOf({ startUnixMs, durationUs }: ChosenTrace): number[] {
  const first = Math.floor(startUnixMs / 1000);
  const last = Math.max(first, Math.floor((startUnixMs + durationUs / 1000) / 1000));
  return Array.from({ length: Math.min(last - first + 1, AROUND_SEC) }, (_, i) => first + i);
}

/** From where on requests began that ended in the range. */
function reached({ fromSec, toSec }: TimeRange): TimeRange {
  return { fromSec: Math.max(0, fromSec - LONGEST_SEC), toSec };
}
