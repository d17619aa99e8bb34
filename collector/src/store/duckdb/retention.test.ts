import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import type { KeepReason, TraceSummary } from "@apm-daemon/protocol";
import { DuckDBInstance } from "@duckdb/node-api";
import { OpenedStore } from "../../testing/opened-store.ts";
import { sampleHeader, sampleHost, sampleRequests } from "../../testing/sample-batch.ts";
import { inOrder } from "../retention.ts";
import { MAINTENANCE_JOBS } from "../store.ts";

const DAY_MS = 86_400_000;
/** 2026-11-23, 08:00 UTC. */
const START_MS = 1_795_420_800_000;
const STREAM = randomUUID();

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0");

function trace(n: number, reason: KeepReason, startUnixMs: number): TraceSummary {
  return {
    traceId: hex(n, 32),
    rootSpanId: hex(n, 16),
    app: "shop",
    instance: "i1",
    action: "GET /",
    kind: "web",
    startUnixMs,
    durationUs: 1_000 + n,
    status: reason === "error" ? 500 : 200,
    error: reason === "error",
    spans: 1,
    reason,
  };
}

/** A day's batch: something of everything that is kept. Of its 100 traces, one failed, one is slow, 98 are random. */
async function writeDay({ store, nowMs }: OpenedStore, number: number): Promise<void> {
  const tsSec = Math.floor(nowMs / 10_000) * 10 - 10;
  const traces = Array.from({ length: 100 }, (_, i) =>
    trace(number * 1_000 + i, i === 1 ? "error" : i === 2 ? "slow" : "random", tsSec * 1_000),
  );
  // Larger than one piece, so that the other pieces must move along.
  const frames = traces.map(({ traceId }) => Buffer.alloc(20_000, `${traceId} ${randomUUID()}`));
  const header = sampleHeader({
    stream: STREAM,
    number,
    createdUnixMs: nowMs,
    host: sampleHost({ kernel: `kernel of day ${number}` }),
    apps: [
      {
        app: "shop",
        apdexTMs: 400 + number,
        instances: [
          {
            instance: "i1",
            pid: 42,
            runtime: "node",
            agentVersion: "0.1.0",
            startUnixMs: START_MS,
            appVersion: `${number}`,
          },
        ],
      },
    ],
    actions: [sampleRequests([1_000, 2_000], { tsSec })],
    errors: [
      {
        tsSec,
        app: "shop",
        action: "GET /",
        group: "00000000000000e1",
        type: "Error",
        message: `day ${number}`,
        stack: "",
        count: 3,
        traceId: number === 1 ? hex(1_001, 32) : "",
      },
    ],
    statements: [
      { fingerprint: "00000000000000aa", app: "shop", system: "postgresql", text: `text ${number}` },
    ],
    ledger: [{ tsSec, app: "shop", created: 2, received: 2, dropped: {} }],
    ledgerState: {
      apps: [{ app: "shop", created: 2 * number, received: 2 * number, dropped: {} }],
      instances: [],
    },
    hostSnapshot: {
      tsSec,
      coreBusyRatios: [number / 10],
      disks: [],
      interfaces: [],
      filesystems: [],
      topProcesses: [],
    },
    processSeconds: [
      {
        app: "shop",
        instance: "i1",
        pid: 42,
        tsSec: [tsSec],
        columns: { cpuRatio: [number], rssBytes: [null] },
      },
    ],
    traces,
  });
  await store.write({ batch: { header, frames }, receivedMs: nowMs, bytes: 1_000 });
}

async function maintained(opened: OpenedStore): Promise<void> {
  for (const job of MAINTENANCE_JOBS) await opened.store.maintain(job);
}

const filesOf = ({ stateDir }: OpenedStore, kind: string): string[] =>
  fs
    .readdirSync(path.join(stateDir, "store", kind))
    .filter((name) => name.endsWith(".duckdb"))
    .map((name) => name.replace(/-[0-9a-f]{8}.*$/, ""));

const DAYS = 8;
const RETENTION = {
  days: 1,
  minutesDays: 4,
  hoursDays: 40,
  tracesDays: 2,
  sampledTracesDays: 4,
  recordsDays: 4,
};
/** Of the first day, so that the fourth begins a week. */
const FRIDAY_MS = START_MS - 3 * DAY_MS;

test("each kind of data goes when it is due, with its file, and the rest answers as before", async () => {
  const opened = await OpenedStore.open(FRIDAY_MS, RETENTION);
  const weeks = ["2026-11-16", "2026-11-23"];
  for (let number = 1; number <= DAYS; number++, opened.nowMs += DAY_MS) {
    await writeDay(opened, number);
    await maintained(opened);
    // Whatever was done of a day is done: nothing is taken in again.
    const { rows } = await opened.store.maintain("retention");
    assert.equal(rows, 0);
    if (number === 4) await opened.reopen();
    if (number === DAYS - 1)
      for (const kind of ["records", "sampled"])
        assert.deepEqual(filesOf(opened, kind), weeks, `${kind} of the week's last day are to be kept still`);
  }
  opened.nowMs -= DAY_MS;
  const day = (number: number): string =>
    new Date(FRIDAY_MS + (number - 1) * DAY_MS).toISOString().slice(0, 10);
  const days = (first: number, last: number): string[] =>
    Array.from({ length: last - first + 1 }, (_, i) => day(first + i));
  assert.deepEqual(filesOf(opened, "hot"), days(7, 8));
  // The minute of the last day is not over yet.
  assert.deepEqual(filesOf(opened, "minutes"), days(4, 7));
  assert.deepEqual(filesOf(opened, "hours"), ["2026-11"]);
  assert.deepEqual(filesOf(opened, "days"), ["2026-11"]);
  assert.deepEqual(filesOf(opened, "traces"), days(6, 6));
  assert.deepEqual(filesOf(opened, "sampled"), weeks.slice(1));
  assert.deepEqual(filesOf(opened, "records"), weeks.slice(1));

  const { store } = opened;
  const range = { fromSec: FRIDAY_MS / 1_000 - 86_400, toSec: FRIDAY_MS / 1_000 + 20 * 86_400 };
  const listed = await store.traces.list({ range, app: "shop", sort: "recent", limit: 1_000 });
  const perDay = (number: number): number =>
    listed.filter(({ traceId }) => Math.floor(Number.parseInt(traceId, 16) / 1_000) === number).length;
  assert.deepEqual([1, 2, 3, 6, 7, 8].map(perDay), [0, 0, 0, 100, 100, 100]);
  for (const number of [4, 5]) {
    const kept = Array.from({ length: 100 }, (_, i) => number * 1_000 + i).filter(
      (n, i) => i === 1 || i === 2 || n % 10 === 0,
    );
    assert.equal(perDay(number), kept.length);
    for (const n of kept.slice(0, 3)) {
      const [part] = await store.traces.parts(hex(n, 32));
      assert.equal(part?.frame.length, 20_000, `frame of ${n}`);
      assert.ok(
        Buffer.from(part?.frame ?? [])
          .toString()
          .startsWith(hex(n, 32)),
      );
    }
  }
  const [group] = await store.errors.groups("shop", range, 10);
  assert.equal(group?.count, 3 * 5, "errors of the week before are gone");
  assert.deepEqual([group?.message, group?.traceId], ["day 8", ""]);
  assert.deepEqual(await store.operations.statementTexts("shop"), [
    { fingerprint: "00000000000000aa", text: "text 8" },
  ]);
  assert.deepEqual(await store.ledger.committed(STREAM), [{ first: 4, last: 8 }]);
  assert.deepEqual(await store.ledger.sums(STREAM, 4, 7), [
    { app: "shop", outcome: "created", spans: 6 },
    { app: "shop", outcome: "received", spans: 6 },
  ]);
  assert.equal((await store.ledger.batchesWithTotals(STREAM, range)).length, 5);
  const [host] = await store.hosts.all();
  assert.match(host?.identity ?? "", /kernel of day 8/);
  const [process] = await store.hosts.processes("web-1", {
    fromSec: range.fromSec,
    toSec: FRIDAY_MS / 1_000 + 3.5 * 86_400,
  });
  assert.deepEqual([process?.appVersion, process?.cpuRatio], ["4", 4], "newest of the range");
  const snapshot = await store.hosts.newestSnapshot("web-1", {
    ...range,
    toSec: FRIDAY_MS / 1_000 + 4.5 * 86_400,
  });
  assert.match(snapshot ?? "", /"coreBusyRatios":\[0.5\]/);
  const [total] = await store.requests.totals({ range }, { by: [], withHistograms: true });
  assert.equal(total?.requests, 2 * DAYS, "by the hour, from the first day on");
  assert.equal(store.lastNumber(STREAM), DAYS);
  await opened.reopen();
  assert.deepEqual(await opened.store.apps.apdexThresholds(), new Map([["shop", 408]]));
  assert.ok(
    opened.store.isCommitted({ stream: STREAM, number: 4 }),
    "a copy of an old batch is known as one",
  );
  assert.deepEqual(opened.warnings, []);
  await opened.close();
});

test("space is given back: of the rows as they arrived, and of the traces that are thinned out", async () => {
  const opened = await OpenedStore.open(START_MS, { days: 1, tracesDays: 2 });
  for (let number = 1; number <= 5; number++) await writeDay(opened, number);
  await opened.reopen();
  const onDisk = (): Record<string, number> => {
    const store = path.join(opened.stateDir, "store");
    return Object.fromEntries(
      ["hot", "traces", "sampled"].map((kind) => [
        kind,
        fs
          .readdirSync(path.join(store, kind))
          .reduce((sum, name) => sum + fs.statSync(path.join(store, kind, name)).size, 0),
      ]),
    );
  };
  const before = onDisk();
  assert.ok((before["hot"] ?? 0) > 9_000_000, JSON.stringify(before));
  opened.nowMs += 2 * DAY_MS;
  await opened.store.maintain("retention");
  await opened.reopen();
  const moved = onDisk();
  assert.ok((moved["hot"] ?? 0) < 1_000_000, JSON.stringify(moved));
  assert.ok((moved["traces"] ?? 0) > 9_000_000, JSON.stringify(moved));
  opened.nowMs += DAY_MS;
  await opened.store.maintain("retention");
  const thinned = onDisk();
  assert.equal(thinned["traces"], 0);
  assert.ok((thinned["sampled"] ?? 0) < (moved["traces"] ?? 0) / 4, JSON.stringify(thinned));
  const { bytesByKind, bytes } = await opened.store.size();
  assert.equal(bytesByKind["sampled"], thinned["sampled"]);
  assert.ok(bytes < 6_000_000, JSON.stringify(bytesByKind));
  await opened.close();
});

test("a kill before sampled traces are let go of leaves each there once", async () => {
  const opened = await OpenedStore.open(START_MS, { days: 1, tracesDays: 2 });
  await writeDay(opened, 1);
  opened.nowMs += 2 * DAY_MS;
  await opened.store.maintain("retention");
  const folder = path.join(opened.stateDir, "store", "traces");
  await opened.close();
  const [whole = ""] = fs.readdirSync(folder);
  const copy = fs.readFileSync(path.join(folder, whole));
  const reopenedWith = async (): Promise<number> => {
    await opened.close();
    fs.writeFileSync(path.join(folder, whole), copy);
    await opened.reopen();
    const range = { fromSec: START_MS / 1_000 - 86_400, toSec: START_MS / 1_000 + 86_400 };
    const listed = await opened.store.traces.list({ range, app: "shop", sort: "recent", limit: 1_000 });
    return listed.length;
  };
  await opened.reopen();
  opened.nowMs += DAY_MS;
  await opened.store.maintain("retention");
  assert.equal(await reopenedWith(), 12);
  assert.equal((await opened.store.maintain("retention")).removedFiles, 1);
  assert.deepEqual(fs.readdirSync(folder), []);
  // Others under the name of those, after the clock went back.
  await opened.reopen();
  assert.equal(await reopenedWith(), 112);
  await opened.close();
});

test("what an earlier build left of a day that it had thinned out is let go of", async () => {
  const opened = await OpenedStore.open(START_MS, { days: 1, tracesDays: 2 });
  await writeDay(opened, 1);
  opened.nowMs += 2 * DAY_MS;
  await opened.store.maintain("retention");
  await opened.close();
  const folder = (kind: string): string => path.join(opened.stateDir, "store", kind);
  const [whole = ""] = fs.readdirSync(folder("traces"));
  const copy = fs.readFileSync(path.join(folder("traces"), whole));
  opened.nowMs += DAY_MS;
  await opened.reopen();
  await opened.store.maintain("retention");
  await opened.close();
  const [sampled = ""] = fs.readdirSync(folder("sampled"));
  const older = sampled.replace(/-[0-9a-f]{8}\.duckdb$/, "-00000000.duckdb");
  fs.renameSync(path.join(folder("sampled"), sampled), path.join(folder("sampled"), older));
  fs.writeFileSync(path.join(folder("sampled"), `${older}.new`), "left by a kill");
  fs.writeFileSync(path.join(folder("traces"), whole), copy);
  await opened.reopen();
  const range = { fromSec: START_MS / 1_000 - 86_400, toSec: START_MS / 1_000 + 86_400 };
  const listed = await opened.store.traces.list({ range, app: "shop", sort: "recent", limit: 1_000 });
  assert.equal(listed.length, 12);
  assert.deepEqual(fs.readdirSync(folder("traces")), []);
  const left = fs.readdirSync(folder("sampled")).filter((name) => !name.endsWith(".wal"));
  assert.deepEqual(left, [older]);
  await opened.close();
});

test("of a day with files of two builds, a trace in the one keeps its pieces in the other", async () => {
  const opened = await OpenedStore.open(START_MS, { days: 1, tracesDays: 2 });
  await writeDay(opened, 1);
  opened.nowMs += 2 * DAY_MS;
  await opened.store.maintain("retention");
  await opened.close();
  const folder = path.join(opened.stateDir, "store", "traces");
  const [name = ""] = fs.readdirSync(folder);
  const older = name.replace(/-[0-9a-f]{8}\.duckdb$/, "-00000000.duckdb");
  fs.copyFileSync(path.join(folder, name), path.join(folder, older));
  for (const [file, table] of [
    [older, "frame_pieces"],
    [name, "traces"],
  ] as const) {
    const instance = await DuckDBInstance.create(path.join(folder, file));
    const connection = await instance.connect();
    await connection.run(`DELETE FROM ${table}`);
    connection.disconnectSync();
    instance.closeSync();
  }
  opened.nowMs += DAY_MS;
  await opened.reopen();
  assert.equal((await opened.store.maintain("retention")).removedFiles, 2);
  for (const n of [1_001, 1_002, 1_010]) {
    const [part] = await opened.store.traces.parts(hex(n, 32));
    assert.equal(part?.frame.length, 20_000, `frame of ${n}`);
  }
  await opened.close();
});

test("while traces are sampled, those that are kept are there once at any moment", async () => {
  // Whether a question meets the job in the middle is chance.
  let inBetween = 0;
  for (let tries = 0; inBetween === 0 && tries < 10; tries++) {
    const opened = await OpenedStore.open(START_MS, { days: 1, tracesDays: 2 });
    try {
      inBetween += await askWhileSampling(opened);
    } finally {
      await opened.close();
    }
  }
  assert.ok(inBetween > 0, "some answers came in the middle");
});

/** Answers how many answers came in the middle. */
async function askWhileSampling(opened: OpenedStore): Promise<number> {
  const tsSec = START_MS / 1_000 - 10;
  const traces = Array.from({ length: 9_000 }, (_, i) =>
    trace(i, i % 18 === 1 ? "error" : "random", tsSec * 1_000),
  );
  // Only of the last there are further pieces.
  const frames = traces.map(({ traceId }, i) => Buffer.alloc(i === 8_999 ? 20_000 : 32, traceId));
  await opened.store.write({
    batch: { header: sampleHeader({ createdUnixMs: START_MS, traces }), frames },
    receivedMs: START_MS,
    bytes: 1_000,
  });
  opened.nowMs += 2 * DAY_MS;
  await opened.store.maintain("retention");
  opened.nowMs += DAY_MS;
  const isDone = opened.store.maintain("retention").then(() => true);
  const range = { fromSec: tsSec, toSec: tsSec + 10 };
  const filter = { range, app: "shop", sort: "recent", limit: 10_000 } as const;
  let inBetween = 0;
  do {
    const failed = await opened.store.traces.list({ ...filter, error: true });
    assert.equal(new Set(failed.map(({ traceId }) => traceId)).size, 500);
    assert.equal(failed.length, 500);
    const all = (await opened.store.traces.list(filter)).length;
    if (all > 1_400 && all < 9_000) inBetween++;
    // It goes with its pieces.
    const [last] = await opened.store.traces.parts(hex(8_999, 32));
    if (last !== undefined) assert.equal(last.frame.length, 20_000);
  } while (!(await Promise.race([isDone, Promise.resolve(false)])));
  // 500 failed, and of each ten others one.
  assert.equal((await opened.store.traces.list(filter)).length, 500 + 900);
  return inBetween;
}

test("an earlier build's file of a day goes on in the file of its week", async () => {
  const opened = await OpenedStore.open(START_MS + 2 * DAY_MS, { days: 1 });
  await writeDay(opened, 1);
  await opened.close();
  const folder = (kind: string): string => path.join(opened.stateDir, "store", kind);
  const [hot = ""] = fs.readdirSync(folder("hot"));
  const copy = fs.readFileSync(path.join(folder("hot"), hot));
  opened.nowMs += 2 * DAY_MS;
  await opened.reopen();
  await opened.store.maintain("retention");
  await opened.close();
  // As if a kill had come before the rows that arrived were let go of.
  fs.writeFileSync(path.join(folder("hot"), hot), copy);
  const [records = ""] = fs.readdirSync(folder("records"));
  assert.match(records, /^2026-11-23-/);
  const ofDay = records.replace("2026-11-23", "2026-11-25");
  fs.renameSync(path.join(folder("records"), records), path.join(folder("records"), ofDay));
  await opened.reopen();
  const range = { fromSec: START_MS / 1_000, toSec: START_MS / 1_000 + 9 * 86_400 };
  const counted = async (): Promise<(number | undefined)[]> =>
    (await opened.store.errors.groups("shop", range, 10)).map(({ count }) => count);
  assert.deepEqual(await counted(), [3]);
  await opened.store.maintain("retention");
  assert.deepEqual(await counted(), [3]);
  await writeDay(opened, 2);
  opened.nowMs += 2 * DAY_MS;
  await opened.store.maintain("retention");
  assert.deepEqual(filesOf(opened, "records"), ["2026-11-23", "2026-11-25"]);
  assert.deepEqual(await counted(), [6]);
  await opened.close();
});

test("a damaged file of sums is put aside, and what is still there as it arrived is summed up again", async () => {
  const opened = await OpenedStore.open(START_MS);
  await writeDay(opened, 1);
  opened.nowMs += DAY_MS;
  await maintained(opened);
  await opened.close();
  const folder = path.join(opened.stateDir, "store", "minutes");
  const [name = ""] = fs.readdirSync(folder);
  fs.writeFileSync(path.join(folder, name), "nonsense");
  await opened.reopen();
  assert.match(opened.warnings.join(), /the data of 2026-11-23 \(minutes\) cannot be opened/);
  assert.ok((await opened.store.maintain("minutes")).rows > 0);
  const range = { fromSec: START_MS / 1_000 - 7_200, toSec: START_MS / 1_000 + 7_200 };
  const totals = await opened.store.requests.totals(
    { range },
    { by: [], stepSec: 60, withHistograms: false },
  );
  assert.deepEqual(
    totals.map(({ requests }) => requests),
    [2],
  );
  await opened.close();
});

test("a file that lost rows which are summed up already is not written to any more", async () => {
  const opened = await OpenedStore.open(START_MS);
  await writeDay(opened, 1);
  opened.nowMs += 2 * 3_600_000;
  await maintained(opened);
  await opened.close();
  const hot = path.join(opened.stateDir, "store", "hot");
  const [name = ""] = fs.readdirSync(hot);
  fs.writeFileSync(path.join(hot, name), "nonsense");
  await opened.reopen();
  await writeDay(opened, 2);
  opened.nowMs += 2 * 3_600_000;
  await maintained(opened);
  await opened.reopen();
  assert.deepEqual(fs.readdirSync(hot), [name.replace(".duckdb", ".1.duckdb")]);
  const range = { fromSec: START_MS / 1_000 - 7_200, toSec: START_MS / 1_000 + 86_400 };
  const totals = await opened.store.requests.totals(
    { range },
    { by: [], stepSec: 60, withHistograms: false },
  );
  assert.deepEqual(
    totals.map(({ requests }) => requests),
    [2, 2],
  );
  await opened.close();
});

test("nothing is kept shorter than what it is made of", () => {
  assert.deepEqual(
    inOrder({
      days: 60,
      minutesDays: 30,
      hoursDays: 10,
      tracesDays: 3,
      sampledTracesDays: 30,
      recordsDays: 1,
    }),
    { days: 60, minutesDays: 60, hoursDays: 60, tracesDays: 60, sampledTracesDays: 60, recordsDays: 60 },
  );
});
