import * as calls from "./call-fixtures.mjs";
import * as failures from "./error-fixtures.mjs";
import * as settings from "./settings-fixtures.mjs";
import * as whySlow from "./why-slow-fixtures.mjs";

/** Invented answers of the API: a shop whose host loses CPU to a neighbour for a while, an idle app, a hostile name. */
const APPS = ["shop", "billing", "idle-worker", '<img src=x onerror="alert(1)">'];
const HOSTS = ["web-1", "web-2", "db-1"];
const ACTIONS = [
  ["GET /api/orders/:id", 2140, [0.42, 0.38, 0.08, 0.12], 412],
  ["POST /api/checkout", 610, [0.3, 0.25, 0.05, 0.4], 1040],
  ["GET /api/search", 1710, [0.6, 0.2, 0.2, 0], 231],
  ["GET /api/cart", 1290, [0.3, 0.4, 0.3, 0], 211],
  ["POST /api/login", 330, [0.7, 0.3, 0, 0], 514],
  ["GET /api/recommend", 540, [0.2, 0.3, 0.1, 0.4], 242],
  ["GET /healthz", 1800, [1, 0, 0, 0], 4.6],
  ["GET (unmatched)", 12, [1, 0, 0, 0], 1.2],
  [
    'GET /x/<script>alert("1")</script>/:very/:long/:route/:that/:goes/:on/and/on/until/it/must/be/clipped',
    2,
    [1, 0, 0, 0],
    0.4,
  ],
];
const HOUR = 3_600_000;

/** Noise 0..1 that is the same for the same input, so that a refresh changes nothing in the past. */
function noise(a, b = 0) {
  const x = Math.sin(a * 12.9898 + b * 78.233) * 43758.5453;
  return x - Math.floor(x);
}

/** 0..1: how strong the trouble is at that time; it comes once an hour for some minutes. */
function trouble(ms) {
  const minute = (ms % HOUR) / 60_000;
  return Math.exp(-(((minute - 21) / 3) ** 2));
}

/** Nothing arrives for two minutes an hour. */
function isLost(ms) {
  const minute = (ms % HOUR) / 60_000;
  return minute > 6 && minute < 8;
}

function load(ms) {
  return (
    1 + 0.25 * Math.sin((ms / (24 * HOUR)) * 2 * Math.PI) + 0.08 * (noise(Math.floor(ms / 10_000)) - 0.5)
  );
}

function windowOf(ms, scale) {
  const seed = Math.floor(ms / 10_000);
  const bad = trouble(ms);
  const requests = Math.round(1435 * load(ms) * scale);
  const splits = {
    codeMs: 70 + 6 * noise(seed, 1) + 120 * bad,
    databaseMs: 76 + 10 * noise(seed, 2) + 50 * bad,
    cacheMs: 14 + 3 * noise(seed, 3) + 5 * bad,
    externalMs: 48 + 6 * noise(seed, 4) + 20 * bad,
  };
  const avgMs = Object.values(splits).reduce((sum, value) => sum + value, 0);
  const errors = Math.round(requests * (0.002 + 0.001 * noise(seed, 5) + 0.015 * bad));
  return {
    requests,
    errors,
    errorRate: errors / requests,
    apdex: 0.945 + 0.01 * (noise(seed, 6) - 0.5) - 0.3 * bad,
    throughputRpm: requests * 6,
    avgMs,
    p50Ms: avgMs * (0.75 + 0.05 * noise(seed, 7)),
    p95Ms: avgMs * (2.4 + 0.3 * noise(seed, 8)),
    p99Ms: avgMs * (4.5 + 0.9 * noise(seed, 9)),
    ...splits,
    queueMs: 5 + 3 * noise(seed, 10) + 20 * bad,
    status2xx: requests - errors - Math.round(requests * 0.07),
    status3xx: Math.round(requests * 0.05),
    status4xx: Math.round(requests * 0.02),
    status5xx: errors,
  };
}

const COUNTS = new Set(["requests", "errors", "status2xx", "status3xx", "status4xx", "status5xx"]);

function rangeOf(url, nowMs) {
  const from = Math.floor(Number(url.searchParams.get("from") ?? nowMs - HOUR / 2) / 10_000) * 10_000;
  const to = Math.ceil(Number(url.searchParams.get("to") ?? nowMs) / 10_000) * 10_000;
  return { from, to };
}

function stepOf(range, unitMs) {
  return Math.max(unitMs, Math.ceil((range.to - range.from) / 300 / unitMs) * unitMs);
}

function appSeries(range, nowMs, scale) {
  const stepMs = stepOf(range, 10_000);
  const cols = {};
  const names = Object.keys(windowOf(0, 1));
  for (const name of names) cols[name] = [];
  for (let t = range.from; t < range.to; t += stepMs) {
    const known = t < nowMs - 4000 && !isLost(t);
    const values = windowOf(t, scale);
    const partial = t + stepMs > nowMs ? (nowMs - t) / stepMs : 1;
    for (const name of names) {
      const factor = COUNTS.has(name) ? (stepMs / 10_000) * partial : name === "throughputRpm" ? partial : 1;
      const value = values[name] * factor;
      cols[name].push(known ? (COUNTS.has(name) ? Math.round(value) : value) : null);
    }
  }
  return { ...range, t0: range.from, stepMs, cols };
}

function statistics(requests, avg, split, apdexTMs = 500, errorRate = 0.003) {
  if (requests === 0) {
    return {
      requests,
      errors: 0,
      errorRate: null,
      apdex: null,
      apdexTMs,
      satisfied: 0,
      tolerating: 0,
      frustrated: 0,
      responseTimeMs: null,
      throughputRpm: 0,
      timeSplitMs: null,
      totalTimeMs: 0,
    };
  }
  const apdex = Math.max(0, Math.min(1, 1 - avg / 3200));
  const tolerating = Math.round(requests * (1 - apdex) * 1.2);
  const frustrated = Math.round(requests * (1 - apdex) * 0.4);
  const errors = Math.round(requests * errorRate);
  return {
    requests,
    errors,
    errorRate: errors / requests,
    apdex,
    apdexTMs,
    satisfied: requests - tolerating - frustrated,
    tolerating,
    frustrated,
    responseTimeMs: { avg, p50: avg * 0.76, p95: avg * 2.5, p99: avg * 4.7, max: avg * 14 },
    throughputRpm: requests / 30,
    timeSplitMs: {
      code: avg * split[0],
      database: avg * split[1],
      cache: avg * split[2],
      external: avg * split[3],
      queue: 8,
    },
    totalTimeMs: requests * avg,
  };
}

function apps(range, nowMs) {
  return APPS.map((app, index) => {
    const requests = [258_300, 12_480, 0, 42][index];
    const avg = [217, 640, 0, 18][index];
    const stepMs = stepOf(range, 10_000);
    const sparkline = appSeries(range, nowMs, requests / 258_300).cols.requests.filter((_, i) => i % 4 === 0);
    return {
      app,
      ...statistics(
        requests,
        avg,
        [0.35, 0.36, 0.07, 0.22],
        index === 1 ? 300 : 500,
        [0.0029, 0.021, 0, 0][index],
      ),
      hosts: [["web-1", "web-2"], ["web-2"], ["web-1"], ["web-1"]][index],
      lastSeenUnixMs: index === 2 ? nowMs - 5 * HOUR : nowMs - 6000,
      sparkline: {
        t0: range.from,
        stepMs: stepMs * 4,
        requests: index === 2 ? sparkline.map(() => null) : sparkline,
      },
    };
  });
}

function actions(kind) {
  const rows = kind === "background" ? [["nightly invoice run", 2, [0.2, 0.7, 0, 0.1], 45_200]] : ACTIONS;
  const total = rows.reduce((sum, [, perMinute, , avg]) => sum + perMinute * 30 * avg, 0);
  return {
    totalTimeMs: total,
    actions: rows.map(([action, perMinute, split, avg], index) => ({
      action,
      kind: kind === "background" ? "background" : "web",
      ...statistics(
        perMinute * 30,
        avg,
        split,
        500,
        [0.0021, 0.0092, 0.0006, 0.0004, 0.014, 0.0011, 0, 0, 0][index] ?? 0,
      ),
      wallClockShare: (perMinute * 30 * avg) / total,
      dissatisfactionShare: (perMinute * 30 * avg) / total / 1.3,
    })),
  };
}

const OPERATIONS = {
  database: [
    [
      "mysql",
      "db-1:3306",
      "SELECT orders",
      "SELECT id, total, state FROM orders WHERE user_id = ? AND status IN (?+) ORDER BY created_at DESC LIMIT ?",
      0.382,
      96,
      0,
    ],
    [
      "mysql",
      "db-1:3306",
      "UPDATE inventory",
      "UPDATE inventory SET reserved = reserved + ? WHERE sku = ?",
      0.175,
      71,
      3,
    ],
    [
      "postgresql",
      "db-2:5432",
      "SELECT products",
      "SELECT p.*, s.score FROM products p JOIN scores s ON s.product_id = p.id WHERE p.category = ?",
      0.121,
      33,
      0,
    ],
    [
      "mysql",
      "db-1:3306",
      "INSERT sessions",
      "INSERT INTO sessions (id, user_id, expires) VALUES (?+)",
      0.066,
      19,
      0,
    ],
  ],
  cache: [
    ["redis", "cache-01:6379", "GET", "", 0.6, 0.62, 2],
    ["memcached", "cache-02:11211", "MGET", "", 0.2, 0.48, 0],
    ["mongodb", "rs0:27017", "find carts", "", 0.15, 7.9, 12],
  ],
  external: [
    ["http", "pay.example.com", "POST pay.example.com", "", 0.8, 380, 40],
    ["http", "recs.internal:9000", "GET recs.internal", "", 0.2, 44, 0],
  ],
};

function operations(category) {
  return OPERATIONS[category].map(
    ([system, target, operation, statementText, share, avg, errors], index) => ({
      category,
      system,
      target,
      operation,
      statement: statementText === "" ? "" : `${index}`.padStart(16, "a"),
      statementText,
      calls: 41_000 - index * 9000,
      errors,
      totalTimeMs: 41_000 * avg,
      durationMs: { avg, p50: avg * 0.8, p95: avg * 4.2, p99: avg * 8, max: avg * 30 },
      callsPerMinute: (41_000 - index * 9000) / 30,
      share,
      actions: [
        { action: ACTIONS[index][0], calls: 20_000, totalTimeMs: 20_000 * avg },
        { action: ACTIONS[index + 1][0], calls: 10_000, totalTimeMs: 10_000 * avg },
      ],
    }),
  );
}

const hex = (seed, length) =>
  Array.from({ length }, (_, i) => Math.floor(noise(seed, i) * 16).toString(16)).join("");

/** Why a request was slow: a neighbour and the bank, the bank alone, or nothing. */
function verdict(i) {
  const steal = {
    kind: "cpu_steal",
    metric: "cpuStealRatio",
    unit: "ratio",
    value: 0.31,
    usual: 0.01,
    share: 0.18,
  };
  const process = { pid: 4711, command: "tar czf backup.tgz /srv", cpuRatio: 0.94 };
  const bank = {
    kind: "external",
    metric: "durationMs",
    unit: "ms",
    value: 980,
    usual: null,
    share: 0.61,
    target: "pay.example.com",
    operation: "POST",
  };
  const crowd = {
    kind: "cpu_contention",
    metric: "psiCpuSomeRatio",
    unit: "ratio",
    value: 0.93,
    usual: 0.04,
    share: 0.22,
    process,
  };
  const causes = [[bank, crowd, steal], [bank], []][i % 3 === 2 ? 0 : i % 2 === 0 ? 1 : 2];
  const time =
    causes.length === 0
      ? { part: "code", ratio: 0.9, target: "" }
      : { part: "external", ratio: 0.71, target: "pay.example.com" };
  const doubts = causes.length > 1 ? ["short_baseline"] : [];
  return {
    causes,
    time,
    confidence: doubts.length > 0 ? "medium" : "high",
    doubts,
    baselineSeconds: 300,
    seconds: 2,
  };
}

function traces(range, limit, action, isErrorOnly) {
  const rows = Array.from({ length: 60 }, (_, i) => {
    const error = i % 6 === 2;
    return {
      traceId: hex(i + 1, 32),
      rootSpanId: "a000000000000001",
      app: "shop",
      host: i % 3 === 0 ? "web-1" : "web-2",
      action: action ?? ACTIONS[i % 5][0],
      kind: "web",
      startUnixMs: range.from + ((range.to - range.from) * (60 - i)) / 61,
      durationMs: 4200 / (1 + i / 4),
      status: error ? 500 : 200,
      error,
      spans: 52,
      reason: error ? "error" : i % 3 === 0 ? "random" : "slow",
      ...(i % 3 === 0 ? {} : { verdict: verdict(i) }),
    };
  });
  return rows.filter((row) => !isErrorOnly || row.error).slice(0, limit);
}

function trace(traceId, nowMs) {
  const startUnixMs = Math.floor((nowMs - 20 * 60_000) / 60_000) * 60_000;
  const spans = [];
  const add = (spanId, parentSpanId, name, category, at, durationMs, more = {}) =>
    spans.push({
      spanId,
      parentSpanId,
      app: "shop",
      host: "web-2",
      instance: "c0ffee12",
      name,
      kind: category === "internal" ? "internal" : "client",
      category,
      startUnixMs: startUnixMs + at,
      durationMs,
      error: false,
      attributes: {},
      events: [],
      statusMessage: null,
      ...more,
    });
  add("a000000000000001", null, "POST /api/checkout", "web", 0, 1382, {
    kind: "server",
    error: true,
    statusMessage: "payment declined",
    attributes: {
      "http.request.method": "POST",
      "http.route": "/api/checkout",
      "http.response.status_code": 500,
      "url.path": "/api/checkout",
      "client.address": "10.0.3.7",
    },
    events: [
      {
        name: "exception",
        startUnixMs: startUnixMs + 1370,
        attributes: {
          "exception.type": "PaymentError",
          "exception.message": "payment declined",
          "exception.stacktrace":
            "PaymentError: payment declined\n    at charge (/srv/shop/src/pay.js:41:11)\n    at async checkout (/srv/shop/src/checkout.js:88:5)\n    at async Layer.handle (/srv/shop/node_modules/express/lib/router/layer.js:95:5)",
        },
      },
    ],
  });
  add("b1", "a000000000000001", "GET session", "cache", 2, 0.9, {
    attributes: { "db.system.name": "redis", "server.address": "cache-01" },
  });
  add("b2", "a000000000000001", "load cart", "internal", 6, 240);
  for (let i = 0; i < 37; i++) {
    add(`c${i}`, "b2", "SELECT inventory", "database", 8 + i * 6, 5.1, {
      attributes: { "db.system.name": "mysql", "db.query.text": "SELECT stock FROM inventory WHERE sku = ?" },
    });
  }
  add("b3", "a000000000000001", "BEGIN", "database", 250, 1.2);
  add("b4", "a000000000000001", "UPDATE inventory", "database", 253, 96, {
    attributes: { "db.query.text": "UPDATE inventory SET reserved = reserved + ? WHERE sku = ?" },
  });
  add("b5", "a000000000000001", "POST pay.example.com", "external", 352, 980, {
    error: true,
    statusMessage: "HTTP 402",
    attributes: { "http.response.status_code": 402, "server.address": "pay.example.com" },
  });
  add("d1", "b5", "POST /charge", "web", 371, 940, { app: "billing", host: "web-1", kind: "server" });
  add("d2", "d1", "SELECT cards", "database", 380, 31, { app: "billing", host: "web-1" });
  add("d3", "d1", "fraud check", "internal", 420, 860, { app: "billing", host: "web-1" });
  add("b6", "a000000000000001", "ROLLBACK", "database", 1336, 4.4);
  add("b7", "missing", "publish order.failed", "external", 1345, 12);
  const [root] = traces({ from: startUnixMs, to: startUnixMs + 1000 }, 1);
  return {
    traceId,
    startUnixMs,
    durationMs: 1382,
    roots: [
      {
        ...root,
        traceId,
        verdict: verdict(2),
        action: "POST /api/checkout",
        host: "web-2",
        durationMs: 1382,
        startUnixMs,
        error: true,
        status: 500,
        spans: spans.length,
      },
    ],
    spans,
  };
}

function hostRow(host, index, nowMs) {
  const gib = 1024 ** 3;
  return {
    host,
    id: hex(index + 7, 32),
    os: "Debian GNU/Linux 12",
    kernel: "6.1.0-28-amd64",
    arch: "x64",
    cpuModel: "AMD EPYC 7763 64-Core Processor",
    cores: 4,
    memTotalBytes: 12 * gib,
    virtualization: "kvm",
    bootUnixMs: nowMs - 40 * 24 * HOUR,
    daemonVersion: "0.1.0",
    lastSeenUnixMs: nowMs - 3000 - index * 1000,
    apps: [["shop"], ["shop", "billing"], []][index],
    cpuRatio: [0.31, 0.46, 0.93][index],
    memUsedRatio: [0.44, 0.65, 0.91][index],
    load1: [0.8, 2.1, 5.4][index],
  };
}

function hostSeries(range, nowMs, metrics) {
  const stepMs = stepOf(range, 1000);
  const cols = Object.fromEntries(metrics.map((name) => [name, []]));
  for (let t = range.from; t < range.to; t += stepMs) {
    const known = t < nowMs - 4000 && !isLost(t);
    const values = hostSecond(t);
    for (const name of metrics)
      cols[name].push(known && !name.startsWith("psiMemory") ? (values[name] ?? 0) : null);
  }
  return { ...range, t0: range.from, stepMs, cols };
}

function hostSecond(ms) {
  const n = (seed) => noise(Math.floor(ms / 1000), seed);
  const bad = trouble(ms);
  const gib = 1024 ** 3;
  const user = 0.3 + 0.06 * n(1);
  const system = 0.08 + 0.02 * n(2);
  const iowait = 0.02 + 0.02 * n(3) + 0.02 * bad;
  const steal = 0.01 + 0.38 * bad;
  return {
    cpuUserRatio: user,
    cpuSystemRatio: system,
    cpuNiceRatio: 0.002,
    cpuIowaitRatio: iowait,
    cpuIrqRatio: 0.001,
    cpuSoftirqRatio: 0.008,
    cpuStealRatio: steal,
    cpuIdleRatio: 1 - user - system - iowait - steal - 0.011,
    load1: 1.8 + 3 * bad + 0.2 * n(4),
    load5: 1.7 + 2 * bad,
    load15: 1.6 + bad,
    procsRunnable: Math.round(2 + 6 * bad * n(5)),
    procsBlocked: n(6) > 0.9 ? 1 : 0,
    memTotalBytes: 12 * gib,
    memAvailableBytes: 4.2 * gib + 0.1 * gib * n(7),
    memUsedBytes: 7.8 * gib - 0.1 * gib * n(7),
    memBuffersBytes: 0.2 * gib,
    memCachedBytes: 3.1 * gib,
    diskReadBytesPerSecond: 1.2e6 * n(8),
    diskWriteBytesPerSecond: 4.1e6 * n(9),
    diskBusyRatio: 0.06 + 0.1 * n(10) + 0.3 * bad,
    diskAwaitMs: 0.6 + n(11) + 4 * bad,
    netReceiveBytesPerSecond: 8.2e6 + 1e6 * n(12),
    netTransmitBytesPerSecond: 5.4e6 + 1e6 * n(13),
    contextSwitchesPerSecond: 18_000 + 2000 * n(14),
    forksPerSecond: 3 * n(15),
    tcpRetransmitsPerSecond: n(16) > 0.95 ? 2 : 0,
    psiCpuSomeRatio: 0.02 + 0.4 * bad,
    psiIoSomeRatio: 0.01 + 0.03 * n(17),
    psiIoFullRatio: 0.005,
  };
}

function snapshot(host, range, nowMs) {
  return {
    host,
    tsMs: Math.min(range.to, nowMs) - 3000,
    coreBusyRatios: [0.41, 0.52, 0.93, 0.38],
    disks: [
      {
        name: "sda",
        readBytesPerSecond: 120_000,
        writeBytesPerSecond: 2_400_000,
        busyRatio: 0.12,
        awaitMs: 1.3,
      },
      { name: "sdb", readBytesPerSecond: 0, writeBytesPerSecond: 0, busyRatio: 0, awaitMs: 0 },
    ],
    interfaces: [
      {
        name: "eth0",
        receiveBytesPerSecond: 8_200_000,
        transmitBytesPerSecond: 5_400_000,
        errorsPerSecond: 0,
        dropsPerSecond: 0.2,
      },
    ],
    filesystems: [
      { mount: "/", type: "ext4", sizeBytes: 80e9, usedBytes: 31e9, availableBytes: 45e9 },
      { mount: "/var/lib/mysql", type: "xfs", sizeBytes: 500e9, usedBytes: 471e9, availableBytes: 29e9 },
    ],
    topProcesses: [
      ["xz -9 /backup/2026-11-22.tar", 20771, "backup", 3.8, 6.7e8],
      ["node /srv/shop/app.js", 1411, "shop", 0.92, 3.1e8],
      ["/usr/sbin/mariadbd", 981, "mysql", 0.41, 2.4e9],
      ["<b>hostile</b>", 666, "nobody", 0.01, 1e6],
    ].map(([command, pid, user, cpuRatio, rssBytes]) => ({
      command,
      pid,
      user,
      cpuRatio,
      rssBytes,
      threads: 12,
    })),
  };
}

function errors(nowMs) {
  return [
    {
      group: hex(3, 16),
      action: "POST /api/checkout",
      type: "PaymentError",
      message: "payment declined",
      stack: "",
      count: 812,
      firstUnixMs: nowMs - 5 * HOUR,
      lastUnixMs: nowMs - 42_000,
      traceId: hex(3, 32),
    },
    {
      group: hex(4, 16),
      action: "POST /api/login",
      type: "TypeError",
      message: "Cannot read properties of undefined (reading 'id') <img src=x onerror=alert(1)>",
      stack: "",
      count: 31,
      firstUnixMs: nowMs - HOUR,
      lastUnixMs: nowMs - 9 * 60_000,
      traceId: "",
    },
  ];
}

const notFound = (message) => ({ status: 404, body: { error: { code: "NOT_FOUND", message } } });
const ok = (body) => ({ status: 200, body });

/** What the hosts answer when they are asked; of the trace whose id begins with zeros they have nothing. */
function fetched(traceId, nowMs) {
  const asked = (host, state, more = {}) => ({
    host,
    state,
    spans: 0,
    oldestUnixMs: nowMs - 700_000,
    lastSeenUnixMs: nowMs - 4_000,
    gap: "",
    ...more,
  });
  const others = [
    asked("db-1", "offline", { oldestUnixMs: null, lastSeenUnixMs: nowMs - 3_900_000 }),
    asked("web-1", "nothing"),
    asked("web-3", "silent", { oldestUnixMs: null, gap: "deadline" }),
  ];
  if (traceId.startsWith("0000"))
    return { status: 404, body: { ...notFound("no host has any span of this trace").body, hosts: others } };
  return ok({
    ...trace(traceId, nowMs),
    hosts: [...others, asked("web-2", "found", { spans: 9 }), asked("web-4", "past_ring")],
  });
}

/** Status and body of one call; `body` is what came with it. */
export function answer(url, { method, body, isEmpty, nowMs }) {
  const range = rangeOf(url, nowMs);
  const path = url.pathname.replace("/api/v1/", "").split("/").map(decodeURIComponent);
  const [area, name, part, detail, id] = path;
  if (method !== "GET") {
    const change = settings.changed(method, path, body);
    if (change !== null) return ok(change);
  }
  const query = (key) => url.searchParams.get(key);
  if (area === "server")
    return ok({
      version: "0.1.0",
      nowUnixMs: nowMs,
      hosts: isEmpty ? 0 : 3,
      apps: isEmpty ? 0 : 4,
      store: { engine: "duckdb", bytes: 1, days: 1 },
      uplinks: 1,
    });
  if (area === "traces" && part === "fetch") return fetched(name, nowMs);
  if (area === "traces")
    return name.startsWith("0000") ? notFound("no host kept this trace") : ok(trace(name, nowMs));
  if (area === "session") return ok({ isGuarded: false, isLoggedIn: true });
  if (area === "settings") return ok(settings.settingsAnswer());
  if (area === "keys") return ok(settings.keysAnswer());
  if (area === "fleet")
    return ok(isEmpty ? { ...range, daemons: [], agents: [] } : settings.fleet(range, nowMs));
  if (area === "completeness")
    return ok(isEmpty ? { ...range, apps: [], more: 0 } : settings.completeness(range, COMPLETENESS));
  if (area === "map")
    return ok(
      isEmpty
        ? { ...range, nodes: [], edges: [], isLimited: false }
        : calls.serviceMap(range, apps(range, nowMs)),
    );
  if (area === "statements")
    return ok({ text: "SELECT 1", hosts: [{ host: "web-2", state: "found", lastSeenUnixMs: nowMs }] });
  if (area === "verdicts")
    return ok({ ...range, apps: isEmpty ? [] : [whySlow.verdicts("shop", judged(range))] });
  if (area === "ends") return ok(isEmpty ? { ...range, ends: [] } : whySlow.ends(range));
  if (area === "apps" && name === undefined) return ok({ ...range, apps: isEmpty ? [] : apps(range, nowMs) });
  if (area === "hosts" && name === undefined)
    return ok({ ...range, hosts: isEmpty ? [] : HOSTS.map((host, i) => hostRow(host, i, nowMs)) });
  if (area === "apps")
    return APPS.includes(name) && !isEmpty
      ? ofApp(name, [part, detail, id], range, query, nowMs)
      : notFound(`no app ${name}`);
  if (area === "hosts")
    return HOSTS.includes(name) && !isEmpty
      ? ok(ofHost(name, part, range, query, nowMs))
      : notFound(`no host ${name}`);
  return notFound(url.pathname);
}

function judged(range) {
  return traces(range, 60, null, false).filter((row) => row.verdict?.causes.length > 0);
}

const COMPLETENESS = {
  created: 1_000_000,
  stored: 998_766,
  dropped: { agent_ring_full: 1_200, app_crash_window: 34 },
  inFlight: 0,
  ratio: 0.998766,
};

const TOOLS = { noise, trouble, isLost };

/** What the app's pages below the overview ask; null for other calls. */
function detailsOf(app, [part, detail, id], range, query, nowMs) {
  const stepMs = stepOf(range, 10_000);
  const rows = OPERATIONS[query("category")] && operations(query("category"));
  const kept = traces(range, 60, null, false);
  if (part === "operations" && detail === "series")
    return calls.callSeries(app, range, query, rows, stepMs, nowMs, TOOLS);
  if (part === "operations" && detail === "samples") return calls.callSamples(app, range, query, rows, kept);
  if (part === "slow-statements")
    return calls.slowStatements(app, range, query, operations("database"), kept);
  if (part === "errors" && detail === "series") return failures.errorSeries(app, range, stepMs, nowMs, TOOLS);
  if (part === "counters") return failures.counters(app, range, stepMs, nowMs, TOOLS);
  if (part === "events") return failures.events(app, range, hex);
  if (part === "ledger") return settings.appLedger(app, range, COMPLETENESS);
  if (part !== "errors") return null;
  const all = errors(nowMs).map((row) => failures.errorRow(row, range, stepMs, nowMs, TOOLS));
  if (detail === undefined) return { app, ...range, errors: all };
  const found = all.find(({ group }) => group === id);
  return found === undefined ? null : failures.errorGroup(app, range, found, kept);
}

function ofApp(app, parts, range, query, nowMs) {
  const details = app === "idle-worker" ? null : detailsOf(app, parts, range, query, nowMs);
  if (details === null && parts[1] === "groups") return notFound("no such group");
  return ok(details ?? overviewOf(app, parts[0], range, query, nowMs));
}

function overviewOf(app, part, range, query, nowMs) {
  const head = { app, ...range };
  const isIdle = app === "idle-worker";
  if (part === "summary")
    return { ...head, completeness: COMPLETENESS, ...apps(range, nowMs).find((row) => row.app === app) };
  if (part === "series") {
    const series = appSeries(range, nowMs, query("action") ? 0.2 : 1);
    if (isIdle) for (const column of Object.values(series.cols)) column.fill(null);
    return { app, ...series };
  }
  if (isIdle && part === "verdicts") return { ...head, thresholdMs: 500, slow: 0, groups: [] };
  if (isIdle)
    return {
      ...head,
      totalTimeMs: 0,
      actions: [],
      operations: [],
      traces: [],
      errors: [],
      statusCodes: [],
      slowStatements: [],
      samples: [],
      counters: [],
      events: [],
      types: [],
      groups: [],
      all: { calls: 0 },
      leftOut: 0,
      count: 0,
      others: null,
      t0: range.from,
      stepMs: 10_000,
      requests: 0,
    };
  if (part === "heatmap") return whySlow.heatmap(app, range, { noise, trouble, isLost });
  if (part === "selection")
    return whySlow.selection(app, range, query, traces(range, 20, query("action"), false));
  if (part === "rank") return { app, ...whySlow.rank(range) };
  if (part === "verdicts") return { ...range, ...whySlow.verdicts(app, judged(range)) };
  if (part === "actions") {
    const { totalTimeMs, actions: rows } = actions(query("kind"));
    const key =
      {
        slowest: (row) => row.responseTimeMs.avg,
        throughput: (row) => row.requests,
        errors: (row) => row.errors,
        dissatisfaction: (row) => row.dissatisfactionShare,
      }[query("sort")] ?? ((row) => row.totalTimeMs);
    return { ...head, totalTimeMs, actions: rows.sort((a, b) => key(b) - key(a)) };
  }
  if (part === "status-codes") {
    const counts = [
      [0, 3],
      [200, 239_000],
      [204, 1200],
      [302, 11_800],
      [404, 5200],
      [500, 611],
      [503, 138],
    ];
    return {
      ...head,
      requests: 258_300,
      statusCodes: counts.map(([code, count]) => ({ code, count, share: count / 258_300 })),
    };
  }
  if (part === "operations") return { ...head, operations: operations(query("category")) };
  return {
    ...head,
    traces: traces(range, Number(query("limit") ?? 50), query("action"), query("error") === "true"),
  };
}

function ofHost(host, part, range, query, nowMs) {
  const head = { host, ...range };
  if (part === "series") return { host, ...hostSeries(range, nowMs, query("metrics").split(",")) };
  if (part === "ledger") return settings.hostLedger(host, range);
  if (part === "live") return settings.liveSeconds(host, Number(query("after") ?? 0), nowMs, hostSecond);
  if (part === "lane") return whySlow.hostLane(host, range, { noise, trouble });
  if (part === "snapshot") return snapshot(host, range, nowMs);
  return {
    ...head,
    processes: [
      {
        app: "shop",
        instance: "c0ffee12",
        pid: 1411,
        runtime: "node 20.20.2",
        agentVersion: "0.1.0",
        startUnixMs: nowMs - 6 * HOUR,
        cpuRatio: 0.92,
        rssBytes: 3.1e8,
        eventLoopDelayP99Ms: 21.4,
        lastSeenUnixMs: nowMs - 2000,
      },
    ],
  };
}
