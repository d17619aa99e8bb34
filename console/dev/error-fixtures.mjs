/** Invented answers about failures: their course, a group of them, processes that ended, what an app counts itself. */
const STACK =
  "PaymentError: payment declined\n    at charge (/srv/shop/src/pay.js:41:11)\n    at async checkout (/srv/shop/src/checkout.js:88:5)";

function columnOf(range, stepMs, nowMs, perStep, seed, { noise, trouble, isLost }) {
  const values = [];
  for (let t = range.from; t < range.to; t += stepMs) {
    const known = t < nowMs - 4000 && !isLost(t);
    values.push(known ? Math.floor(perStep * (noise(Math.floor(t / 10_000), seed) + 4 * trouble(t))) : null);
  }
  return values;
}

const sum = (values) => values.reduce((total, value) => total + (value ?? 0), 0);

export function errorSeries(app, range, stepMs, nowMs, tools) {
  const types = ["PaymentError", "TypeError", "TimeoutError"].map((type, i) => {
    const values = columnOf(range, stepMs, nowMs, 6 / (i + 1), i, tools);
    return { type, count: sum(values), values };
  });
  const count = sum(types.map((one) => one.count));
  return { app, ...range, t0: range.from, stepMs, count, types, others: null };
}

/** A row of the list with what newer collectors say of it. */
export function errorRow(row, range, stepMs, nowMs, tools) {
  const counts = columnOf(range, stepMs, nowMs, 4, row.count, tools);
  const firstEverUnixMs = row.firstUnixMs;
  return {
    ...row,
    stack: row.type === "PaymentError" ? STACK : "",
    firstEverUnixMs,
    isNew: firstEverUnixMs >= range.from,
    sparkline: { t0: range.from, stepMs, counts },
  };
}

export function errorGroup(app, range, row, traces) {
  const sample = ({ traceId, host, startUnixMs }) => ({
    traceId,
    action: row.action,
    host,
    message: row.message,
    unixMs: startUnixMs,
  });
  return {
    app,
    ...range,
    ...row,
    places: [
      { action: row.action, host: "web-2", count: Math.ceil(row.count * 0.8) },
      { action: row.action, host: "web-1", count: Math.floor(row.count * 0.2) },
    ],
    samples: traces.slice(0, 6).map(sample),
  };
}

export function counters(app, range, stepMs, nowMs, tools) {
  const rows = ["coupons used", "orders placed"].map((name, i) => {
    const values = columnOf(range, stepMs, nowMs, 9 * (i + 1), 20 + i, tools);
    return { name, total: sum(values), values };
  });
  return { app, ...range, t0: range.from, stepMs, counters: rows };
}

/** One process that the kernel killed in the middle of the range. */
export function events(app, range, hex) {
  const unixMs = Math.floor((range.from + range.to) / 2);
  const seconds = Array.from({ length: 60 }, (_, i) => Math.floor(unixMs / 1000) - 60 + i);
  const event = {
    id: "e1",
    host: "web-2",
    unixMs,
    kind: "crash",
    title: "killed for lack of memory: the memory cgroup's limit of 512 MiB was reached",
    instance: "c0ffee12",
    pid: 1411,
    runtime: "node 20.20.2",
    startUnixMs: unixMs - 7_200_000,
    exitCode: null,
    error: null,
    evidence: {
      cgroup: "/system.slice/shop.service",
      oomKills: 1,
      memoryLimitBytes: 2 ** 29,
      rssBytes: 5.1e8,
    },
    inFlight: [{ action: "POST /api/checkout", traceId: hex(3, 32), ageMs: 2_400 }],
    inFlightUnixMs: unixMs - 400,
    lastCalls: [
      {
        endUnixMs: unixMs - 120,
        durationUs: 96_000,
        category: "database",
        system: "mysql",
        name: "UPDATE inventory",
        target: "db-1:3306",
        statement: "UPDATE inventory SET reserved = reserved + ? WHERE sku = ?",
        error: false,
        traceId: hex(3, 32),
      },
    ],
    curve: {
      tsSec: seconds,
      rssBytes: seconds.map((_, i) => 2e8 + 5.3e6 * i),
      cpuRatio: seconds.map((_, i) => 0.4 + 0.009 * i),
      heapUsedBytes: seconds.map((_, i) => 1.2e8 + 5e6 * i),
      eventLoopDelayP99Ms: seconds.map((_, i) => 12 + i),
    },
    crashWindowMs: 400,
    spansLostAtLeast: 34,
  };
  return { app, ...range, events: app === "shop" ? [event] : [] };
}
