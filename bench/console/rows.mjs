// SQL that makes a day's rows of the store's tables, as they arrive: each table's INSERT ... SELECT, without its INSERT.
import { bucketOf, HOST_METRICS, PROCESS_METRICS } from "../../protocol/dist/index.js";

const WINDOW_SEC = 10;
const MINUTE_SEC = 60;
const APPS = 4;
const STATEMENTS = 50;
/** Buckets of one row's histogram, from its first one on: about a factor of four. */
const BUCKETS = [0, 5, 11, 18, 26, 35, 60];
const FAILED = 0.02;

/** Apps of a host: two of the four. */
export const appsOf = (host) => [host % APPS, (host + 1) % APPS];

/**
 * Rows of `fromSec <= ts < toSec`. `unitSec` 10: every window and second, as a store has them before they go; else what the
 * same time comes to in sums, at a fraction of the cost: a row a minute, or an hour, with all that was in it.
 */
export function dayRows({ fromSec, toSec, unitSec, hosts, actions, rowsPerWindow }) {
  const isFine = unitSec === WINDOW_SEC;
  const windowSec = unitSec;
  const secondSec = isFine ? 1 : unitSec;
  const times = (stepSec) => `(SELECT unnest(range(${fromSec}, ${toSec}, ${stepSec}))::UINTEGER AS ts_s)`;
  const hostsSql = `(SELECT unnest(range(${hosts})) AS h)`;
  // Of a minute's rows of all hosts no two are of the same action, or sums would have fewer rows than they should.
  const perHost = isFine ? rowsPerWindow : Math.max(1, Math.round(actions / hosts));
  const action = isFine
    ? `floor(random() * ${actions})::INTEGER`
    : `((h + i * ${hosts}) % ${actions})::INTEGER`;
  const app = `'shop-' || (a % ${APPS})`;
  const counted = `SELECT ts_s, 'web-' || h AS host, a, ${app} AS app, 'GET /page/' || a AS action,
      (${bucketOf(2_000)} + floor(random() * 80))::USMALLINT AS b,
      list_transform(range(${BUCKETS.length}), x -> (1 + floor(random() * ${isFine ? 3 : 7}) + x * 0)::UINTEGER) AS counts,
      random() < ${FAILED} AS is_failed
    FROM (SELECT *, ${action} AS a FROM ${times(windowSec)}, ${hostsSql}, (SELECT unnest(range(${perHost})) AS i))`;
  const measured = `[${BUCKETS.map((bucket) => `(b + ${bucket})::USMALLINT`).join(", ")}] AS buckets, counts`;
  const sumUs = "list_sum(counts) * pow(2, b / 32.0) * 1.5";
  const hostApps = `SELECT ts_s, h, 'web-' || h AS host, 'shop-' || ((h + k) % ${APPS}) AS app, k
    FROM ${times(windowSec)}, ${hostsSql}, (SELECT unnest([0, 1]) AS k)`;
  const process = `'i-' || h || '-' || k AS instance, (1000 + h * 2 + k)::UINTEGER AS pid`;
  // Random numbers for so many columns would take most of the time.
  const values = (metrics) =>
    metrics
      .map(({ name }, i) => `((ts_s::BIGINT * ${7 + i} + h * 131) % 997) / 997.0 AS "${name}"`)
      .join(", ");
  return {
    requests: `SELECT ts_s, host, app, action, 'web' AS kind, (CASE WHEN is_failed THEN 500 ELSE 200 END)::USMALLINT AS status,
        n::UINTEGER AS requests, (CASE WHEN is_failed THEN n ELSE 0 END)::UINTEGER AS errors,
        (CASE WHEN is_failed THEN 0 ELSE n END)::UINTEGER AS satisfied, 0 AS tolerating,
        (CASE WHEN is_failed THEN n ELSE 0 END)::UINTEGER AS frustrated, us AS sum_us, us / n * 4 AS max_us, us / 2 AS code_us,
        us / 2 AS database_us, 0 AS cache_us, 0 AS external_us, 0 AS queue_us, ${measured}
      FROM (SELECT *, list_sum(counts) AS n, ${sumUs} AS us FROM (${counted}))`,
    operations: `SELECT ts_s, host, app, action, CASE a % 10 WHEN 0 THEN 'cache' WHEN 1 THEN 'external' ELSE 'database' END AS category,
        CASE a % 10 WHEN 0 THEN 'redis' WHEN 1 THEN 'http' ELSE 'postgresql' END AS system,
        CASE a % 10 WHEN 0 THEN 'cache:6379' WHEN 1 THEN 'stock:80' ELSE 'db:5432' END AS target,
        CASE a % 10 WHEN 0 THEN 'GET' WHEN 1 THEN 'POST' ELSE 'SELECT table_' || (a % ${STATEMENTS}) END AS operation,
        CASE WHEN a % 10 < 2 THEN '' ELSE printf('%016x', a % ${STATEMENTS}) END AS statement,
        list_sum(counts)::UINTEGER AS calls, 0 AS errors, ${sumUs} AS sum_us, ${sumUs} / list_sum(counts) * 4 AS max_us, ${measured}
      FROM (${counted})`,
    errors: `SELECT ts_s, host, app, action, printf('%016x', a) AS error_group, 'Error' AS type, 'it failed at ' || ts_s AS message,
        'Error: it failed' || chr(10) || repeat('    at fn (/app/file.js:10:20)' || chr(10), 8) AS stack, n AS count, '' AS trace_id
      FROM (SELECT *, list_sum(counts)::UINTEGER AS n FROM (${counted})) WHERE is_failed`,
    host_seconds: `SELECT ts_s, 'web-' || h AS host, ${values(HOST_METRICS)} FROM ${times(secondSec)}, ${hostsSql}`,
    process_seconds: `SELECT ts_s, 'web-' || h AS host, 'shop-' || ((h + k) % ${APPS}) AS app, ${process}, ${values(PROCESS_METRICS)}
      FROM ${times(secondSec)}, ${hostsSql}, (SELECT unnest([0, 1]) AS k)`,
    apps: `SELECT (ts_s + ${WINDOW_SEC + 1})::UINTEGER AS ts_s, host, app, 500 AS apdex_t_ms FROM (${hostApps})`,
    instances: `SELECT (ts_s + ${WINDOW_SEC + 1})::UINTEGER AS ts_s, host, app, ${process}, 'node 20.19.0' AS runtime,
        '0.2.0' AS agent_version, ${fromSec}000 AS start_ms, '1.0' AS app_version FROM (${hostApps})`,
    ledger: `SELECT ts_s, host, app, '00000000-0000-4000-8000-' || printf('%012x', h) AS stream, ts_s // ${WINDOW_SEC} AS number,
        outcome, 100 AS spans FROM (${hostApps}), (SELECT unnest(['created', 'received']) AS outcome)`,
    statements: `SELECT ${fromSec}::UINTEGER AS ts_s, 'shop-' || (a % ${APPS}) AS app, printf('%016x', a) AS fingerprint,
        'postgresql' AS system, 'SELECT id, name, price FROM table_' || a || ' WHERE id = ? AND shop = ? ORDER BY name' AS text
      FROM (SELECT unnest(range(${STATEMENTS})) AS a)`,
    hosts: `SELECT ts_s, 'web-' || h AS host, ts_s * 1000.0 AS received_ms, identity
      FROM ${times(isFine ? WINDOW_SEC : 3_600)}, ${hostsSql}, identities WHERE identities.name = 'web-' || h`,
    host_snapshots: `SELECT ts_s, 'web-' || h AS host, '{"tsSec":' || ts_s || ',"coreBusyRatios":[0.1,0.2,0.3,0.4],"disks":[],"interfaces":[],' ||
        '"filesystems":[],"topProcesses":[{"pid":1,"user":"root","command":"/sbin/init","cpuRatio":0.1,"rssBytes":1000000,"threads":1}]}' AS snapshot
      FROM ${times(isFine ? WINDOW_SEC : 600)}, ${hostsSql}`,
    ...traceRows({ times, hostsSql, windowSec, actions, isFine }),
  };
}

/** One kept trace a host and window, or, of old days, a minute: those that are kept so long. One in fifty goes on in another app. */
function traceRows({ times, hostsSql, windowSec, actions, isFine }) {
  const verdict = JSON.stringify({
    causes: [{ kind: "disk", metric: "psiIoSomeRatio", unit: "ratio", value: 0.5, usual: 0.1, share: 0.6 }],
    time: { part: "database", ratio: 0.7, target: "db:5432" },
    confidence: "medium",
    doubts: [],
    baselineSeconds: 300,
    seconds: 2,
  });
  const reason = isFine
    ? "CASE WHEN is_failed THEN 'error' WHEN r < 0.4 THEN 'slow' ELSE 'random' END"
    : "CASE WHEN is_failed THEN 'error' ELSE 'slow' END";
  const root = `SELECT ts_s, ts_s * 1000.0 AS start_ms, 'web-' || h AS host, 'shop-' || (a % ${APPS}) AS app, 'i-' || h || '-0' AS instance,
      'GET /page/' || a AS action, 'web' AS kind, replace(uuid()::VARCHAR, '-', '') AS trace_id, printf('%016x', (random() * 1e15)::BIGINT) AS root_span_id,
      100000 + r * 2000000 AS duration_us, (CASE WHEN is_failed THEN 500 ELSE 200 END)::USMALLINT AS status, is_failed AS error,
      4 AS spans, ${reason} AS reason, NULL AS repeats,
      CASE WHEN r < 0.3 OR is_failed THEN '${verdict}' END AS verdict, frame, NULL AS frame_id, hop
    FROM (SELECT *, floor(random() * ${actions})::INTEGER AS a, random() AS r, random() < 0.05 AS is_failed, (random() * 60)::INTEGER AS f,
        CASE WHEN random() < 0.02 THEN [0, 1] ELSE [0] END AS hops
      FROM ${times(windowSec)}, ${hostsSql}), unnest(hops) AS u(hop) JOIN frames ON frames.id = f % 50 + hop * 50`;
  return {
    traces: `SELECT * EXCLUDE (hop) REPLACE (CASE WHEN hop = 0 THEN app ELSE 'shop-' || ((right(app, 1)::INTEGER + 1) % ${APPS}) END AS app)
      FROM (${root})`,
    slow_statements: `SELECT ts_s, 'web-' || h AS host, 'shop-' || (a % ${APPS}) AS app, 'GET /page/' || a AS action, d AS duration_us,
        '{"app":"shop-' || (a % ${APPS}) || '","action":"GET /page/' || a || '","endUnixMs":' || ts_s || '000,"operation":"SELECT table","statement":"' ||
        printf('%016x', a % ${STATEMENTS}) || '","text":"SELECT id FROM table WHERE id = ?","durationUs":' || d::BIGINT || ',"traceId":"","stack":"at fn"}' AS body
      FROM (SELECT *, floor(random() * ${actions})::INTEGER AS a, 500000 + random() * 1e6 AS d FROM ${times(MINUTE_SEC)}, ${hostsSql})`,
    events: `SELECT ts_s, ts_s * 1000.0 AS ts_ms, 'web-' || h AS host, 'shop-' || (h % ${APPS}) AS app, uuid()::VARCHAR AS event_id,
        'exit' AS kind, 'ended' AS title, '{"id":"e","app":"shop-' || (h % ${APPS}) || '","kind":"exit","title":"ended with exit code 1","pid":7,"tsMs":' || ts_s || '000}' AS body
      FROM ${times(43_200)}, ${hostsSql}`,
  };
}
