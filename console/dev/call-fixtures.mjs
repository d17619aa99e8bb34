/** Invented answers about calls to databases, caches and services; `tools` are the noise, times and operations of the other answers. */

function columnsOf(range, stepMs, nowMs, scale, avg, failing, { noise, trouble, isLost }) {
  const cols = { calls: [], errors: [], totalTimeMs: [], avgMs: [], p95Ms: [] };
  for (let t = range.from; t < range.to; t += stepMs) {
    const known = t < nowMs - 4000 && !isLost(t);
    const seed = Math.floor(t / 10_000);
    const calls = Math.round(((scale * stepMs) / 60_000) * (0.85 + 0.3 * noise(seed, avg)));
    const avgMs = avg * (0.9 + 0.2 * noise(seed, 2) + 2 * trouble(t));
    cols.calls.push(known ? calls : null);
    cols.errors.push(known ? Math.round(calls * failing * (0.5 + noise(seed, 3))) : null);
    cols.totalTimeMs.push(known ? calls * avgMs : null);
    cols.avgMs.push(known && calls > 0 ? avgMs : null);
    cols.p95Ms.push(known && calls > 0 ? avgMs * 3.1 : null);
  }
  return cols;
}

const sum = (values) => values.reduce((total, value) => total + (value ?? 0), 0);

function group(rows, range, stepMs, nowMs, tools) {
  const [first] = rows;
  const perMinute = sum(rows.map((row) => row.callsPerMinute));
  const avg = sum(rows.map((row) => row.totalTimeMs)) / sum(rows.map((row) => row.calls));
  const failing = sum(rows.map((row) => row.errors)) / sum(rows.map((row) => row.calls));
  const cols = columnsOf(range, stepMs, nowMs, perMinute, avg, failing, tools);
  const calls = sum(cols.calls);
  return {
    ...first,
    calls,
    errors: sum(cols.errors),
    totalTimeMs: sum(cols.totalTimeMs),
    callsPerMinute: calls / ((range.to - range.from) / 60_000),
    durationMs: { avg, p50: avg * 0.8, p95: avg * 3.1, p99: avg * 6, max: avg * 20 },
    cols,
  };
}

function chosen(operations, query) {
  return ["system", "target", "operation", "statement"].reduce(
    (rows, key) => rows.filter((row) => query(key) === null || row[key] === query(key)),
    operations,
  );
}

/** `operations` are all of the category. */
export function callSeries(app, range, query, operations, stepMs, nowMs, tools) {
  const rows = chosen(operations, query);
  const byName = new Map();
  for (const row of rows) {
    const isStore = query("by") !== "operation";
    const key = isStore ? `${row.system} ${row.target}` : `${row.target} ${row.operation} ${row.statement}`;
    const seen = isStore ? { ...row, operation: "", statement: "", statementText: "" } : row;
    byName.set(key, [...(byName.get(key) ?? []), seen]);
  }
  const groups = [...byName.values()].map((same) => group(same, range, stepMs, nowMs, tools));
  const total = sum(groups.map((one) => one.totalTimeMs));
  for (const one of groups) one.share = total === 0 ? null : one.totalTimeMs / total;
  groups.sort((a, b) => b.totalTimeMs - a.totalTimeMs);
  const all = rows.length === 0 ? { calls: 0 } : group(rows, range, stepMs, nowMs, tools);
  return { app, ...range, t0: range.from, stepMs, all, groups, leftOut: 0 };
}

export function callSamples(app, range, query, operations, traces) {
  const rows = chosen(operations, query);
  const samples = traces.slice(0, 12).map((trace, i) => {
    const { category, system, target, operation, statement, durationMs } =
      rows[i % rows.length] ?? operations[0];
    return {
      traceId: trace.traceId,
      spanId: "b1",
      action: trace.action,
      host: trace.host,
      category,
      system,
      target,
      operation,
      statement,
      startUnixMs: trace.startUnixMs,
      durationMs: (durationMs.max * (12 - i)) / 12,
      error: trace.error,
      calls: 1 + (i % 3),
    };
  });
  return { app, ...range, traces: traces.length, samples };
}

export function slowStatements(app, range, query, operations, traces) {
  const rows = operations.filter(
    (row) => query("statement") === null || row.statement === query("statement"),
  );
  const slow = traces.slice(0, Number(query("limit") ?? 20)).map((trace, i) => {
    const row = rows[i % rows.length];
    return {
      host: trace.host,
      action: trace.action,
      system: row.system,
      target: row.target,
      operation: row.operation,
      statement: row.statement,
      statementText: row.statementText,
      durationMs: trace.durationMs * 0.8,
      endUnixMs: trace.startUnixMs + trace.durationMs,
      error: false,
      traceId: trace.traceId,
      stack:
        i % 4 === 3
          ? ""
          : "at listOrders (/srv/shop/src/orders.js:41:17)\nat async /srv/shop/src/api.js:88:5",
    };
  });
  return { app, ...range, slowStatements: rows.length === 0 ? [] : slow };
}

/** The shop calls billing, a database, a cache and a bank; billing calls its own database. */
export function serviceMap(range, apps) {
  const nodes = apps.map((row) => ({
    id: `app ${row.app}`,
    kind: "app",
    app: row.app,
    system: "",
    target: "",
    callsPerMinute: row.throughputRpm,
    avgMs: row.responseTimeMs?.avg ?? null,
    errorRate: row.errorRate,
    apdex: row.apdex,
  }));
  const edges = [];
  const call = (from, to, kind, system, target, callsPerMinute, avgMs, errorRate) => {
    if (!nodes.some(({ id }) => id === to))
      nodes.push({ id: to, kind, app: "", system, target, callsPerMinute, avgMs, errorRate, apdex: null });
    const calls = Math.round(callsPerMinute * 30);
    const counted = { calls, errors: Math.round(calls * errorRate), totalTimeMs: calls * avgMs };
    edges.push({ from, to, ...counted, callsPerMinute, avgMs, errorRate, targets: [target] });
  };
  const [shop, billing] = ["app shop", "app billing"];
  call(shop, "db", "database", "mysql", "db-1:3306", 41_200, 36, 0.0001);
  call(shop, "cache", "cache", "redis", "cache-01:6379", 64_000, 0.6, 0);
  call(shop, billing, "app", "http", "billing.internal:8080", 416, 640, 0.021);
  call(billing, "bank", "external", "http", "pay.example.com", 410, 380, 0.04);
  call(billing, "db2", "database", "postgresql", "db-2:5432", 1_900, 9, 0);
  edges.sort((a, b) => b.totalTimeMs - a.totalTimeMs);
  return { ...range, nodes, edges, isLimited: false };
}
