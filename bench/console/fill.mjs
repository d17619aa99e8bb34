// Fills a store with so many days of so many hosts and actions, up to now: each day's rows are made in DuckDB, in the tables of
// the file that the store opened for that day, and the store's own jobs sum them up, move and remove them. A folder that was
// filled before is filled from there on.
// `node bench/console/fill.mjs --state-dir DIR --days 30 --hosts 20 --actions 200`; with `--quick` all but today has a row an hour:
// files are smaller than they should be, answers by the hour have as many rows as they should.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { DiskSpace } from "../../collector/dist/store/disk-space.js";
import { DuckDbStore } from "../../collector/dist/store/duckdb/duckdb-store.js";
import { MAINTENANCE_JOBS } from "../../collector/dist/store/store.js";
import { sampleHost } from "../../collector/dist/testing/sample-batch.js";
import { spansFrame } from "../../collector/dist/testing/sample-trace.js";
import { print, round } from "../support/options.mjs";
import { dayRows } from "./rows.mjs";

const DAY_SEC = 86_400;
const WINDOW_SEC = 10;
/** Of these the store still has every row: those of `retention.days`, and today. */
const FINE_DAYS = 3;
const RETENTION = {
  days: 2,
  minutesDays: 30,
  hoursDays: 400,
  tracesDays: 3,
  sampledTracesDays: 30,
  recordsDays: 30,
};

/** @returns {Promise<{ stateDir: string, beginSec: number, endSec: number, seconds: number, bytesByKind: Record<string, number> }>} */
export async function fill({ stateDir, days, hosts, actions, rowsPerWindow = 4, isQuick = false }) {
  const startedMs = performance.now();
  const noteFile = join(stateDir, "filled.json");
  const known = existsSync(noteFile) ? JSON.parse(readFileSync(noteFile, "utf8")) : null;
  const endSec = Math.floor(Date.now() / 1_000 / WINDOW_SEC) * WINDOW_SEC;
  const beginSec = known?.beginSec ?? endSec - days * DAY_SEC;
  const fineFromSec = Math.floor(endSec / DAY_SEC) * DAY_SEC - (isQuick ? 0 : FINE_DAYS - 1) * DAY_SEC;
  for (let fromSec = known?.endSec ?? beginSec; fromSec < endSec; ) {
    const toSec = Math.min(endSec, (Math.floor(fromSec / DAY_SEC) + 1) * DAY_SEC);
    const unitSec = fromSec >= fineFromSec ? WINDOW_SEC : isQuick ? 3_600 : 60;
    await fillDay(stateDir, { fromSec, toSec, unitSec, hosts, actions, rowsPerWindow });
    writeFileSync(noteFile, JSON.stringify({ beginSec, endSec: toSec }));
    fromSec = toSec;
  }
  const bytesByKind = await withStore(stateDir, endSec, async (store) => (await store.size()).bytesByKind);
  return { stateDir, beginSec, endSec, seconds: (performance.now() - startedMs) / 1_000, bytesByKind };
}

async function fillDay(stateDir, day) {
  // Opening makes the day's file.
  await withStore(stateDir, day.fromSec, async () => undefined);
  const instance = await DuckDBInstance.create(":memory:", { threads: "2", memory_limit: "1GB" });
  const connection = await instance.connect();
  const folder = join(stateDir, "store", "hot");
  const date = new Date(day.fromSec * 1_000).toISOString().slice(0, 10);
  const file = readdirSync(folder).find((name) => name.startsWith(date) && name.endsWith(".duckdb"));
  await connection.run(`ATTACH '${join(folder, file)}' AS day`);
  await makeFrames(connection);
  await connection.run("CREATE TABLE identities (name VARCHAR, identity VARCHAR)");
  for (let host = 0; host < day.hosts; host++)
    await connection.run("INSERT INTO identities VALUES ($name, $identity)", {
      name: `web-${host}`,
      identity: JSON.stringify(sampleHost({ name: `web-${host}`, id: `id-${host}` })),
    });
  // In the order of their arrival: jobs take rows up to the first one of a minute or hour that is not over.
  for (const [table, sql] of Object.entries(dayRows(day)))
    await connection.run(`INSERT INTO day.main.${table} BY NAME SELECT * FROM (${sql}) ORDER BY ts_s`);
  await connection.run("DETACH day");
  connection.disconnectSync();
  instance.closeSync();
  await withStore(stateDir, day.toSec + 120, async (store) => {
    for (const job of MAINTENANCE_JOBS) await store.maintain(job);
  });
}

/** SPANS payloads of requests with three calls; the second fifty are of the apps that are called by the first. */
async function makeFrames(connection) {
  await connection.run("CREATE TABLE frames (id INTEGER, frame BLOB)");
  const id = (n) => n.toString(16).padStart(16, "0");
  for (let i = 0; i < 100; i++) {
    const root = {
      spanId: id(1),
      parentSpanId: i < 50 ? "" : id(3),
      name: `GET /page/${i}`,
      kind: 1,
      startMs: 0,
      durationMs: 300,
    };
    const call = (n, name, attributes) => ({
      spanId: id(n),
      parentSpanId: id(1),
      name,
      kind: 2,
      startMs: n * 10,
      durationMs: 20 * n,
      attributes,
    });
    const spans = [
      root,
      call(2, `SELECT table_${i % 50}`, {
        "db.system.name": "postgresql",
        "db.query.text": `SELECT id, name, price FROM table_${i % 50} WHERE id = ? AND shop = ? ORDER BY name`,
        "server.address": "db",
        "server.port": 5432,
      }),
      call(3, "POST", {
        "http.request.method": "POST",
        "server.address": "stock",
        "server.port": 80,
        "url.full": "http://stock/reserve",
      }),
      call(4, `SELECT table_${(i + 7) % 50}`, {
        "db.system.name": "postgresql",
        "db.query.text": `SELECT count(*) FROM table_${(i + 7) % 50}`,
        "server.address": "db",
        "server.port": 5432,
      }),
    ];
    const bytes = spansFrame(i.toString(16).padStart(32, "0"), spans).toString("hex");
    await connection.run(`INSERT INTO frames VALUES (${i}, unhex('${bytes}'))`);
  }
}

async function withStore(stateDir, nowSec, use) {
  const clock = () => nowSec * 1_000;
  const store = await DuckDbStore.open({
    stateDir,
    memoryLimitMb: 256,
    threads: 2,
    queryTimeoutMs: 60_000,
    queriesWaiting: 500,
    retention: RETENTION,
    maxPending: 400,
    maxPendingBytes: 1e9,
    diskSpace: new DiskSpace({ folder: stateDir, minFreeBytes: 1e9, minFreeRatio: 0, clock }),
    clock,
    warn: (sentence) => console.error(sentence),
  });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      "state-dir": { type: "string" },
      days: { type: "string", default: "2" },
      hosts: { type: "string", default: "2" },
      actions: { type: "string", default: "20" },
      quick: { type: "boolean", default: false },
    },
  });
  if (!values["state-dir"]) throw new Error("--state-dir DIR says where the store shall be");
  const numbers = { days: Number(values.days), hosts: Number(values.hosts), actions: Number(values.actions) };
  const { bytesByKind, seconds } = await fill({
    stateDir: values["state-dir"],
    ...numbers,
    isQuick: values.quick,
  });
  const megabytes = Object.fromEntries(
    Object.entries(bytesByKind).map(([kind, bytes]) => [kind, round(bytes / 1e6, 1)]),
  );
  print("console fill", { ...numbers, seconds: round(seconds, 1), megabytes });
}
