import { HOST_METRICS, type HostMetric, PROCESS_METRICS } from "@apm-daemon/protocol";
import { Lately } from "../lately.ts";
import { countOf, peakOf, sumOf } from "../rollups.ts";
import type {
  HostQueries,
  MetricValues,
  ProcessSeries,
  SampledSteps,
  SampleGap,
  StoredAgents,
  StoredHost,
  StoredProcess,
  TimeRange,
} from "../store.ts";
import { identifier } from "./column-types.ts";
import type { Query } from "./database-client.ts";
import { KnownNames } from "./known-names.ts";
import { IN_RANGE, rowsOf, stepSql } from "./sql-parts.ts";
import type { Tiers } from "./tier.ts";

const KNOWN_METRICS: ReadonlySet<string> = new Set(HOST_METRICS.map((metric) => metric.name));
/** Events that are counted, not measured: averaging them would hide them. */
const SUMMED_METRICS: ReadonlySet<string> = new Set(
  HOST_METRICS.filter(({ combined }) => combined === "sum").map(({ name }) => name),
);

/** By the host's clock: one whose clock is behind by more, or that says old things first, is as of at most a minute ago. */
const RECENT_SEC = 600;
const OLDER_FRESH_MS = 60_000;
/** `ts_s` is a u32. */
const NO_END_SEC = 4_294_967_295;

/** Processes that did not report for so long before the newest second are gone. */
const NEWEST_SEC = 30;

export class DuckDbHostQueries implements HostQueries {
  readonly #query: Query;
  readonly #tiers: Tiers;
  readonly #known: KnownNames = new KnownNames();
  readonly #older: Lately<{ seamSec: number; hosts: StoredHost[] }> = new Lately(OLDER_FRESH_MS);

  constructor(query: Query, tiers: Tiers) {
    this.#query = query;
    this.#tiers = tiers;
  }

  /** What is older is looked through once a minute: it has a row of each host every ten seconds. */
  async all(): Promise<StoredHost[]> {
    const { seamSec, hosts: older } = await this.#older.get("", async () => {
      const toSec = this.#tiers.nowSec() - RECENT_SEC;
      return { seamSec: toSec, hosts: await this.#hostsOf({ fromSec: 0, toSec }) };
    });
    const newer = await this.#hostsOf({ fromSec: seamSec, toSec: NO_END_SEC });
    const found = new Map(older.map((row) => [row.host, row]));
    for (const row of newer) {
      const lastSeenUnixMs = Math.max(row.lastSeenUnixMs, found.get(row.host)?.lastSeenUnixMs ?? 0);
      found.set(row.host, { ...row, lastSeenUnixMs });
    }
    return [...found.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  async #hostsOf(range: TimeRange): Promise<StoredHost[]> {
    const rows = await this.#query(
      `SELECT host, arg_max(identity, ts_s) AS identity, max(received_ms) AS "lastSeenUnixMs"
       FROM ${rowsOf("hosts", range)} WHERE ${IN_RANGE} GROUP BY host`,
      { from: range.fromSec, to: range.toSec },
    );
    return rows as unknown as StoredHost[];
  }

  exists(host: string): Promise<boolean> {
    return this.#known.has(host, async () => {
      const rows = await this.#query(
        `(SELECT 1 AS one FROM hosts WHERE host = $host LIMIT 1)
         UNION ALL (SELECT 1 FROM host_seconds_hours WHERE host = $host LIMIT 1)`,
        { host },
      );
      return rows.length > 0;
    });
  }

  async appsByHost(range: TimeRange): Promise<{ host: string; app: string }[]> {
    const rows = await this.#query(
      `SELECT host, app FROM ${this.#tiers.tierOf("apps", range)}
       UNION SELECT host, app FROM ${this.#tiers.tierOf("requests_by_host", range)}
       ORDER BY host, app`,
      {},
    );
    return rows as { host: string; app: string }[];
  }

  async newestValues(
    metrics: readonly string[],
    range: TimeRange,
  ): Promise<{ host: string; values: MetricValues }[]> {
    const columns = metrics.map((name) => `arg_max(${meanSql(name)}, ts_s) AS ${identifier(name)}`);
    const newestIn = async (rows: string): Promise<{ host: string; values: MetricValues }[]> => {
      const found = await this.#query(`SELECT host, ${columns.join(", ")} FROM ${rows} GROUP BY host`, {});
      return found.map((row) => ({ host: row["host"] as string, values: row as MetricValues }));
    };
    const { newest, older } = this.#tiers.newestOf("host_seconds", range);
    const [recent, hosts] = await Promise.all([newestIn(newest), older === null ? [] : this.all()]);
    const known = new Set(recent.map(({ host }) => host));
    if (older === null || hosts.every(({ host }) => known.has(host))) return recent;
    return [...recent, ...(await newestIn(older)).filter(({ host }) => !known.has(host))];
  }

  async series(
    host: string,
    metrics: readonly string[],
    range: TimeRange,
    stepSec: number,
  ): Promise<{ stepStartSec: number; values: MetricValues }[]> {
    const columns = metrics.map((name) => {
      const [sum, count] = metricColumns(name);
      const value = SUMMED_METRICS.has(name) ? `sum(${sum})` : `sum(${sum}) / nullif(sum(${count}), 0)`;
      return `${value} AS ${identifier(name)}`;
    });
    const rows = await this.#query(
      `SELECT ${stepSql(stepSec)} AS step_start, ${columns.join(", ")}
       FROM ${this.#tiers.tierOf("host_seconds", range, stepSec)} WHERE host = $host
       GROUP BY step_start ORDER BY step_start`,
      { host },
    );
    return rows.map((row) => ({ stepStartSec: row["step_start"] as number, values: row as MetricValues }));
  }

  async newestSnapshot(host: string, range: TimeRange): Promise<string | null> {
    const rows = await this.#query(
      `SELECT snapshot FROM ${rowsOf("host_snapshots", range)} WHERE host = $host AND ${IN_RANGE}
       ORDER BY ts_s DESC LIMIT 1`,
      { host, from: range.fromSec, to: range.toSec },
    );
    return (rows[0]?.["snapshot"] as string | undefined) ?? null;
  }

  async processes(host: string, range: TimeRange): Promise<StoredProcess[]> {
    const where = `host = $host AND ${IN_RANGE}`;
    const newest = ["cpuRatio", "rssBytes", "eventLoopDelayP99Ms"].map(
      (name) => `arg_max(${sumAndCount(name).join(" / ")}, ts_s) AS ${identifier(name)}`,
    );
    const rows = await this.#query(
      `WITH known AS (
         SELECT app, instance, pid, max(ts_s) AS ts_s, arg_max(runtime, ts_s) AS runtime,
           arg_max(agent_version, ts_s) AS "agentVersion", arg_max(start_ms, ts_s) AS "startUnixMs",
           arg_max(app_version, ts_s) AS "appVersion", arg_max(container_id, ts_s) AS "containerId",
           arg_max(systemd_unit, ts_s) AS "systemdUnit"
         FROM ${rowsOf("instances", range)} WHERE ${where} GROUP BY app, instance, pid),
       newest AS (
         SELECT app, instance, pid, max(ts_s) AS second_s, ${newest.join(", ")}
         FROM ${bothOf(this.#tiers.newestOf("process_seconds", range))} WHERE host = $host GROUP BY app, instance, pid)
       SELECT app, instance, pid, coalesce(runtime, '') AS runtime, coalesce("agentVersion", '') AS "agentVersion",
         coalesce("startUnixMs", 0) AS "startUnixMs", coalesce("appVersion", '') AS "appVersion",
         coalesce("containerId", '') AS "containerId", coalesce("systemdUnit", '') AS "systemdUnit", "cpuRatio", "rssBytes", "eventLoopDelayP99Ms",
         greatest(coalesce(ts_s, 0), coalesce(second_s, 0))::DOUBLE * 1000 AS "lastSeenUnixMs"
       FROM known FULL JOIN newest USING (app, instance, pid) ORDER BY app, "startUnixMs", pid`,
      { host, from: range.fromSec, to: range.toSec },
    );
    return rows as unknown as StoredProcess[];
  }

  async agents(range: TimeRange): Promise<StoredAgents[]> {
    const rows = await this.#query(
      `SELECT app, agent_version AS "agentVersion", runtime, count(DISTINCT instance)::DOUBLE AS processes,
         count(DISTINCT host)::DOUBLE AS hosts
       FROM ${rowsOf("instances", range)} WHERE ${IN_RANGE} GROUP BY app, agent_version, runtime
       ORDER BY app, agent_version, runtime LIMIT 1000`,
      { from: range.fromSec, to: range.toSec },
    );
    return rows as unknown as StoredAgents[];
  }

  async sampledSteps(host: string, range: TimeRange, stepSec: number): Promise<SampledSteps> {
    const rows = await this.#query(
      `${unitsSql(this.#tiers.tierOf("host_seconds", range, stepSec))}
       SELECT ${stepSql(stepSec)} AS "stepStartSec", sum(seconds)::DOUBLE AS rows, min(first_s)::DOUBLE AS "firstSec",
         max(last_s)::DOUBLE AS "lastSec", any_value(row_sec)::DOUBLE AS "rowSec"
       FROM gaps, usual GROUP BY "stepStartSec" ORDER BY "stepStartSec"`,
      { host },
    );
    const steps = rows as unknown as (SampledSteps["steps"][0] & { rowSec: number })[];
    return {
      rowSec: steps[0]?.rowSec ?? 1,
      steps: steps.map(({ stepStartSec, rows, firstSec, lastSec }) => ({
        stepStartSec,
        rows,
        firstSec,
        lastSec,
      })),
    };
  }

  async gaps(host: string, range: TimeRange, limit: number): Promise<SampleGap[]> {
    const rows = await this.#query(
      `${unitsSql(this.#tiers.finestOf("host_seconds", range))},
       found AS (
         SELECT first_s - gap AS last_s, first_s AS next_s, gap - row_sec AS missing FROM gaps, usual
         UNION ALL SELECT first_s, last_s, last_s - first_s + row_sec - seconds * row_sec FROM gaps, usual)
       SELECT * FROM (
         SELECT last_s::DOUBLE AS "lastSec", next_s::DOUBLE AS "nextSec", missing::DOUBLE AS "missingSec" FROM found
         WHERE missing > 0 ORDER BY missing DESC, next_s LIMIT $limit)
       ORDER BY "nextSec", "lastSec"`,
      { host, limit },
    );
    return rows as unknown as SampleGap[];
  }

  async processSeries(
    { host, instance }: { host: string; instance: string },
    metrics: readonly string[],
    range: TimeRange,
    stepSec: number,
  ): Promise<ProcessSeries | null> {
    const columns = PROCESS_METRICS.filter(({ name }) => metrics.includes(name)).map(
      (metric) => `${combinedSql(metric)} AS ${identifier(metric.name)}`,
    );
    const rows = await this.#query(
      `SELECT ${stepSql(stepSec)} AS step_start, any_value(app) AS app, any_value(pid) AS pid, ${columns.join(", ")}
       FROM ${this.#tiers.tierOf("process_seconds", range, stepSec)} WHERE host = $host AND instance = $instance
       GROUP BY step_start ORDER BY step_start`,
      { host, instance },
    );
    const [first] = rows;
    if (!first) return null;
    const steps = rows.map((row) => ({
      stepStartSec: row["step_start"] as number,
      values: row as MetricValues,
    }));
    return { app: first["app"] as string, pid: first["pid"] as number, steps };
  }

  async snapshots(host: string, range: TimeRange, limit: number): Promise<string[]> {
    const rows = await this.#query(
      `SELECT snapshot FROM ${rowsOf("host_snapshots", range)} WHERE host = $host AND ${IN_RANGE} ORDER BY ts_s LIMIT $limit`,
      { host, from: range.fromSec, to: range.toSec, limit },
    );
    return rows.map((row) => row["snapshot"] as string);
  }

  async newestLoopDelays(range: TimeRange): Promise<{ host: string; delayMs: number | null }[]> {
    const delaysIn = async (seconds: string): Promise<{ host: string; delayMs: number | null }[]> => {
      const rows = await this.#query(
        `WITH seconds AS (SELECT * FROM ${seconds})
         SELECT host, max(delay) AS "delayMs" FROM (
           SELECT host, arg_max(${sumAndCount("eventLoopDelayP99Ms").join(" / ")}, ts_s) AS delay FROM seconds
           WHERE ts_s + ${NEWEST_SEC} >= (SELECT max(ts_s) FROM seconds)
           GROUP BY host, instance)
         GROUP BY host`,
        {},
      );
      return rows as { host: string; delayMs: number | null }[];
    };
    const { newest, older } = this.#tiers.newestOf("process_seconds", range);
    const recent = await delaysIn(newest);
    return recent.length > 0 || older === null ? recent : await delaysIn(older);
  }
}

function bothOf({ newest, older }: { newest: string; older: string | null }): string {
  return older === null ? newest : `(SELECT * FROM ${older} UNION ALL BY NAME SELECT * FROM ${newest})`;
}

/**
 * Which seconds of a host arrived: one by one where these are kept, else how many of each minute or hour, with the first and
 * the last; and the distance to what was before it. The usual distance is that of two rows: seconds may be sampled
 * several at once.
 */
function unitsSql(rows: string): string {
  return `WITH units AS (
      SELECT ts_s, min(first_s)::BIGINT AS first_s, max(last_s)::BIGINT AS last_s,
        least(sum(seconds), max(last_s)::DOUBLE - min(first_s) + 1) AS seconds
      FROM ${rows} WHERE host = $host AND seconds > 0 GROUP BY ts_s),
    gaps AS (SELECT *, first_s - lag(last_s) OVER (ORDER BY ts_s) AS gap FROM units),
    usual AS (
      SELECT coalesce(quantile_disc(gap, 0.5), round(max((last_s - first_s) / (seconds - 1)) FILTER (seconds > 1)), 1) AS row_sec
      FROM gaps)`;
}

/** How the seconds of a step become one value. */
function combinedSql({ name, combined }: HostMetric): string {
  const [sum, count] = sumAndCount(name);
  if (combined === "max") return `max(${identifier(peakOf(name))})`;
  return combined === "sum" ? `sum(${sum})` : `sum(${sum}) / nullif(sum(${count}), 0)`;
}

/** Names of columns cannot be bound, so only known ones get into an SQL text. */
function metricColumns(name: string): [sum: string, count: string] {
  if (!KNOWN_METRICS.has(name)) throw new RangeError(`there is no host metric ${name}`);
  return sumAndCount(name);
}

/** The mean of a row's values; null without any, since there is no sum then. */
function meanSql(name: string): string {
  return metricColumns(name).join(" / ");
}

function sumAndCount(name: string): [sum: string, count: string] {
  return [identifier(sumOf(name)), identifier(countOf(name))];
}
