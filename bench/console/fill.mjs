// Fills a store as so many days, hosts and actions would, through the path that batches take, with the store's own jobs run
// at each day's end; then asks what pages ask. `node bench/console/fill.mjs --state-dir DIR --days 30 --hosts 20 --actions 200`
import { randomUUID } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DiskSpace } from "../../collector/dist/store/disk-space.js";
import { DuckDbStore } from "../../collector/dist/store/duckdb/duckdb-store.js";
import { bucketOf, HOST_METRICS, sparseHistogram } from "../../protocol/dist/index.js";
import { median, print, round } from "../support/options.mjs";

const { values } = parseArgs({
  options: {
    "state-dir": { type: "string" },
    days: { type: "string", default: "2" },
    hosts: { type: "string", default: "2" },
    actions: { type: "string", default: "20" },
    /** Actions of which a host has requests in a window; of as many it calls a database. */
    rows: { type: "string", default: "4" },
    /** Seconds from one row of a host to the next: by the second it takes most of the time. */
    "host-seconds": { type: "string", default: "60" },
    rounds: { type: "string", default: "7" },
  },
});
const [days, hosts, actions, rows, hostSeconds, rounds] = [
  values.days,
  values.hosts,
  values.actions,
  values.rows,
  values["host-seconds"],
  values.rounds,
].map(Number);
const stateDir = values["state-dir"] ?? mkdtempSync(join(tmpdir(), "apm-fill-"));
const DAY_SEC = 86_400;
const WINDOW_SEC = 10;
/** Of one batch: many windows at once, or the group commit's pace would decide. */
const BATCH_SEC = 600;
const endSec = Math.floor(Date.now() / 1_000 / BATCH_SEC) * BATCH_SEC;
const beginSec = endSec - days * DAY_SEC;

let nowMs = beginSec * 1_000;
const clock = () => nowMs;
const store = await DuckDbStore.open({
  stateDir,
  memoryLimitMb: 256,
  threads: 2,
  queryTimeoutMs: 60_000,
  queriesWaiting: 500,
  retention: {
    days: 2,
    minutesDays: 30,
    hoursDays: 400,
    tracesDays: 3,
    sampledTracesDays: 30,
    recordsDays: 30,
  },
  maxPending: 400,
  maxPendingBytes: 1e9,
  diskSpace: new DiskSpace({ folder: stateDir, minFreeBytes: 1e9, minFreeRatio: 0, clock }),
  clock,
  warn: (sentence) => console.error(sentence),
});

/** Small and the same in each run. */
let seed = 1;
function random() {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}

function measured(calls) {
  const counts = new Map();
  let [sumUs, maxUs] = [0, 0];
  for (let i = 0; i < calls; i++) {
    const us = Math.round(2_000 / (1 - random()) ** 0.7);
    counts.set(bucketOf(us), (counts.get(bucketOf(us)) ?? 0) + 1);
    sumUs += us;
    maxUs = Math.max(maxUs, us);
  }
  return { sumUs, maxUs, histogram: sparseHistogram(counts) };
}

function requestRow(tsSec, action) {
  const requests = 1 + Math.floor(random() * 20);
  const { sumUs, maxUs, histogram } = measured(requests);
  const isFailed = random() < 0.02;
  return {
    tsSec,
    app: `shop-${action % 4}`,
    action: `GET /page/${action}`,
    kind: "web",
    status: isFailed ? 500 : 200,
    requests,
    errors: isFailed ? requests : 0,
    satisfied: isFailed ? 0 : requests,
    tolerating: 0,
    frustrated: isFailed ? requests : 0,
    sumUs,
    maxUs,
    codeUs: sumUs / 2,
    databaseUs: sumUs / 2,
    cacheUs: 0,
    externalUs: 0,
    queueUs: 0,
    histogram,
  };
}

function operationRow(tsSec, action) {
  const calls = 1 + Math.floor(random() * 40);
  return {
    tsSec,
    app: `shop-${action % 4}`,
    action: `GET /page/${action}`,
    category: "database",
    system: "postgresql",
    target: "db:5432",
    operation: `SELECT table_${action % 50}`,
    statement: (action % 50).toString(16).padStart(16, "0"),
    calls,
    errors: 0,
    ...measured(calls),
  };
}

function header(host, number, fromSec) {
  const windows = Array.from({ length: BATCH_SEC / WINDOW_SEC }, (_, i) => fromSec + i * WINDOW_SEC);
  const chosen = windows.flatMap((tsSec) =>
    Array.from({ length: rows }, () => [tsSec, Math.floor(random() * actions)]),
  );
  const seconds = Array.from({ length: BATCH_SEC / hostSeconds }, (_, i) => fromSec + i * hostSeconds);
  return {
    version: 1,
    stream: streams[host],
    number,
    createdUnixMs: (fromSec + BATCH_SEC) * 1_000,
    host: {
      id: `id-${host}`,
      name: `web-${host}`,
      os: "Debian GNU/Linux 12",
      kernel: "6.1.0",
      arch: "x64",
      cpuModel: "a processor",
      cores: 4,
      memTotalBytes: 8e9,
      virtualization: "kvm",
      bootUnixMs: beginSec * 1_000,
      daemonVersion: "0.1.0",
      nodeVersion: "20.19.0",
    },
    apps: [0, 1, 2, 3].map((app) => ({ app: `shop-${app}`, apdexTMs: 500, instances: [] })),
    hostSeconds: {
      tsSec: seconds,
      columns: Object.fromEntries(
        HOST_METRICS.map(({ name }) => [name, seconds.map(() => round(random(), 4))]),
      ),
    },
    hostSnapshot: null,
    processSeconds: [],
    actions: chosen.map(([tsSec, action]) => requestRow(tsSec, action)),
    operations: chosen.map(([tsSec, action]) => operationRow(tsSec, action)),
    statements: [],
    errors: [],
    ledger: windows.map((tsSec) => ({ tsSec, app: "shop-0", created: 100, received: 100, dropped: {} })),
    traces: [],
    journal: { sealed: 0, replayFrom: 0 },
  };
}

const streams = Array.from({ length: hosts }, () => randomUUID());
const startedMs = performance.now();
for (let [fromSec, number] = [beginSec, 1]; fromSec < endSec; fromSec += BATCH_SEC, number++) {
  nowMs = (fromSec + BATCH_SEC) * 1_000;
  const headers = streams.map((_, host) => header(host, number, fromSec));
  await Promise.all(
    headers.map((one) =>
      store.write({ batch: { header: one, frames: [] }, receivedMs: nowMs, bytes: 50_000 }),
    ),
  );
  if ((fromSec + BATCH_SEC) % 3_600 === 0)
    for (const job of ["minutes", "hours", "retention"]) await store.maintain(job);
}
const { bytesByKind } = await store.size();
print("console fill", {
  days,
  hosts,
  actions,
  stateDir,
  seconds: round((performance.now() - startedMs) / 1_000, 1),
  megabytes: Object.fromEntries(
    Object.entries(bytesByKind).map(([kind, bytes]) => [kind, round(bytes / 1e6, 1)]),
  ),
});

const last = (seconds) => ({ fromSec: endSec - seconds, toSec: endSec });
for (const [name, seconds, stepSec] of [
  ["30 minutes", 1_800, 10],
  ["24 hours", DAY_SEC, 300],
  ["7 days", 7 * DAY_SEC, 3_600],
  ["30 days", 30 * DAY_SEC, 10_800],
]) {
  const range = last(seconds);
  const app = "shop-1";
  const asked = {
    chart: () => store.requests.totals({ range, app }, { by: [], stepSec, withHistograms: true }),
    actions: () => store.requests.totals({ range, app }, { by: ["action", "kind"], withHistograms: true }),
    operations: () => store.operations.totals({ range, app }, 200),
    host: () => store.hosts.series("web-0", ["cpuUserRatio", "load1"], range, stepSec),
    apps: () => store.apps.seen(range),
  };
  const medianMs = {};
  for (const [what, ask] of Object.entries(asked)) {
    const took = [];
    for (let i = 0; i < rounds; i++) {
      const begunMs = performance.now();
      await ask();
      took.push(performance.now() - begunMs);
    }
    medianMs[what] = round(median(took), 1);
  }
  print("console queries", { range: name, medianMs });
}
await store.close();
