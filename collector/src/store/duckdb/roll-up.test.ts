import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { type BatchHeader, mergeHistograms, type SparseHistogram } from "@apm-daemon/protocol";
import { DuckDBInstance } from "@duckdb/node-api";
import * as fc from "fast-check";
import { OpenedStore } from "../../testing/opened-store.ts";
import { histogramOf, sampleHeader, sampleHost, sampleRequests } from "../../testing/sample-batch.ts";
import { MAINTENANCE_JOBS, type MaintenanceJob, type OperationStep } from "../store.ts";
import type { DuckDbStore } from "./duckdb-store.ts";

const DAY_SEC = 86_400;
/** 2026-11-23, 00:00 UTC. */
const MIDNIGHT_SEC = 1_795_392_000;
const EVERYTHING = { fromSec: MIDNIGHT_SEC - 10 * DAY_SEC, toSec: MIDNIGHT_SEC + 30 * DAY_SEC };

/** What one host says of one window. */
interface Window {
  host: number;
  tsSec: number;
  action: number;
  durationsUs: number[];
}

const RECEIVED = { bytes: 1_000 };

function headerOf({ host, tsSec, action, durationsUs }: Window): BatchHeader {
  const requests = { tsSec, action: `action ${action}`, status: action === 2 ? 500 : 200 };
  const calls = durationsUs.length;
  const sumUs = durationsUs.reduce((sum, us) => sum + us, 0);
  const operation = {
    tsSec,
    app: "shop",
    action: `action ${action}`,
    category: "database" as const,
    system: "postgresql",
    target: "db:5432",
    operation: "SELECT items",
    statement: "00000000000000aa",
    calls,
    errors: action,
    sumUs,
    maxUs: Math.max(...durationsUs),
    histogram: histogramOf(durationsUs),
  };
  return sampleHeader({
    createdUnixMs: (tsSec + 10) * 1_000 + 200,
    host: sampleHost({ name: `web-${host}` }),
    actions: [sampleRequests(durationsUs, requests)],
    operations: [operation],
    counters: [{ tsSec, app: "shop", name: "mails", amount: calls }],
    ledger: [{ tsSec, app: "shop", created: calls + 1, received: calls, dropped: { agent_ring_full: 1 } }],
    errors: [
      {
        tsSec,
        app: "shop",
        action: `action ${action}`,
        group: `00000000000000e${action}`,
        type: "Error",
        message: `at ${tsSec}`,
        stack: "",
        count: calls,
        traceId: "",
      },
    ],
    hostSeconds: {
      tsSec: [tsSec, tsSec + 1, tsSec + 2],
      columns: { load1: [calls, 2, null], oomKills: [1, 0, calls], cpuIdleRatio: [null, null, null] },
    },
  });
}

async function write(store: DuckDbStore, nowMs: number, windows: readonly Window[]): Promise<void> {
  await Promise.all(
    windows.map((window) =>
      store.write({ batch: { header: headerOf(window), frames: [] }, receivedMs: nowMs, ...RECEIVED }),
    ),
  );
}

interface Sums {
  requests: number;
  errors: number;
  sumUs: number;
  maxUs: number;
  histogram: SparseHistogram;
}

/** What a store must answer, computed from what was written. */
function expectedRequests(windows: readonly Window[], stepSec: number): Map<string, Sums> {
  const sums = new Map<string, Sums>();
  for (const { tsSec, action, durationsUs } of windows) {
    const key = `${action} ${tsSec - (tsSec % stepSec)}`;
    const known = sums.get(key);
    sums.set(key, {
      requests: (known?.requests ?? 0) + durationsUs.length,
      errors: (known?.errors ?? 0) + (action === 2 ? durationsUs.length : 0),
      sumUs: (known?.sumUs ?? 0) + durationsUs.reduce((sum, us) => sum + us, 0),
      maxUs: Math.max(known?.maxUs ?? 0, ...durationsUs),
      histogram: mergeHistograms([...(known ? [known.histogram] : []), histogramOf(durationsUs)]),
    });
  }
  return sums;
}

function operationStep({ stepStartSec, calls, errors, histogram }: OperationStep) {
  return { stepStartSec, calls, errors, histogram };
}

function expectedOperations(windows: readonly Window[], stepSec: number) {
  const byStep = new Map<number, Window[]>();
  for (const window of windows) {
    const stepStartSec = window.tsSec - (window.tsSec % stepSec);
    byStep.set(stepStartSec, [...(byStep.get(stepStartSec) ?? []), window]);
  }
  return [...byStep]
    .sort(([a], [b]) => a - b)
    .map(([stepStartSec, ofStep]) => ({
      stepStartSec,
      calls: ofStep.reduce((sum, { durationsUs }) => sum + durationsUs.length, 0),
      errors: ofStep.reduce((sum, { action }) => sum + action, 0),
      histogram: mergeHistograms(ofStep.map(({ durationsUs }) => histogramOf(durationsUs))),
    }));
}

async function compare(
  store: DuckDbStore,
  windows: readonly Window[],
  stepsSec: readonly number[],
): Promise<void> {
  const calls = windows.reduce((sum, { durationsUs }) => sum + durationsUs.length, 0);
  for (const stepSec of stepsSec) {
    const totals = await store.requests.totals(
      { range: EVERYTHING, app: "shop" },
      { by: ["action"], stepSec, withHistograms: true },
    );
    const answered = new Map(
      totals.map(({ action, stepStartSec, requests, errors, sumUs, maxUs, histogram }) => [
        `${action.slice("action ".length)} ${stepStartSec}`,
        { requests, errors, sumUs, maxUs, histogram },
      ]),
    );
    const expected = expectedRequests(windows, stepSec);
    assert.deepEqual(
      [...answered].toSorted(byKey),
      [...expected].toSorted(byKey),
      `requests by ${stepSec} s`,
    );
    const steps = await store.operations.steps({ range: EVERYTHING, app: "shop" }, stepSec);
    assert.deepEqual(steps.map(operationStep), expectedOperations(windows, stepSec));
    const where = { system: "postgresql", target: "db:5432" };
    const what = { operation: "SELECT items", statement: "00000000000000aa" };
    for (const group of [where, { ...where, what }]) {
      const others = { ...where, target: "another" };
      const ofGroups = await store.operations.groupSteps(
        { range: EVERYTHING, app: "shop" },
        [others, group],
        stepSec,
      );
      assert.deepEqual(ofGroups.map(operationStep), expectedOperations(windows, stepSec));
      assert.ok(ofGroups.every(({ index }) => index === 1));
    }
    await compareHosts(store, windows, stepSec);
    const counted = await store.counters.sums("shop", EVERYTHING, stepSec, 10);
    assert.equal(
      counted.reduce((sum, { amount }) => sum + amount, 0),
      calls,
      `counters by ${stepSec} s`,
    );
    const outcomes = await store.ledger.outcomes("shop", EVERYTHING, stepSec);
    const spans = (name: string): number =>
      outcomes.reduce((sum, row) => sum + (row.outcome === name ? row.spans : 0), 0);
    assert.deepEqual(
      [spans("created"), spans("received"), spans("dropped:agent_ring_full")],
      [calls + windows.length, calls, windows.length],
    );
  }
  const [operation] = await store.operations.totals({ range: EVERYTHING, app: "shop" }, 10);
  assert.equal(operation?.calls ?? 0, calls);
  assert.deepEqual(
    operation?.histogram ?? { buckets: [], counts: [] },
    mergeHistograms(windows.map(({ durationsUs }) => histogramOf(durationsUs))),
  );
  const groups = await store.errors.groups("shop", EVERYTHING, 10);
  assert.equal(
    groups.reduce((sum, { count }) => sum + count, 0),
    calls,
  );
}

const byKey = ([a]: [string, Sums], [b]: [string, Sums]): number => (a < b ? -1 : 1);

async function compareHosts(store: DuckDbStore, windows: readonly Window[], stepSec: number): Promise<void> {
  for (const host of new Set(windows.map((window) => window.host))) {
    const expected = new Map<number, { load: number[]; oomKills: number }>();
    for (const { tsSec, durationsUs } of windows.filter((window) => window.host === host)) {
      const step = tsSec - (tsSec % stepSec);
      const { load = [], oomKills = 0 } = expected.get(step) ?? {};
      const calls = durationsUs.length;
      expected.set(step, { load: [...load, calls, 2], oomKills: oomKills + 1 + calls });
    }
    const series = await store.hosts.series(
      `web-${host}`,
      ["load1", "oomKills", "cpuIdleRatio"],
      EVERYTHING,
      stepSec,
    );
    assert.deepEqual(
      series.map(({ stepStartSec }) => stepStartSec),
      [...expected.keys()].sort((a, b) => a - b),
    );
    for (const { stepStartSec, values } of series) {
      const { load, oomKills } = expected.get(stepStartSec) ?? { load: [], oomKills: Number.NaN };
      const mean = load.reduce((sum, value) => sum + value, 0) / load.length;
      assert.ok(Math.abs((values["load1"] ?? Number.NaN) - mean) < 1e-9, `load1 by ${stepSec} s`);
      assert.equal(values["oomKills"], oomKills);
      assert.equal(values["cpuIdleRatio"], null, "no value is not 0");
    }
  }
}

/** A write says how long ago its windows were: a daemon's backlog may be days old. */
type Command =
  | { do: "write"; windows: { host: number; lagSec: number; action: number; durationsUs: number[] }[] }
  | { do: "wait"; seconds: number }
  | { do: "maintain"; job: MaintenanceJob }
  | { do: "restart" };

const windowArbitrary = fc.record({
  host: fc.integer({ min: 1, max: 2 }),
  lagSec: fc.oneof(fc.integer({ min: 10, max: 100 }), fc.integer({ min: -600, max: 2 * DAY_SEC })),
  action: fc.integer({ min: 0, max: 2 }),
  durationsUs: fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1, maxLength: 5 }),
});

const commandArbitrary: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      windows: fc.array(windowArbitrary, { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      seconds: fc.constantFrom(30, 61, 3_700, DAY_SEC),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("maintain" as const),
      job: fc.constantFrom(...MAINTENANCE_JOBS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
);

async function play(opened: OpenedStore, commands: readonly Command[]): Promise<Window[]> {
  const written: Window[] = [];
  for (const command of commands) {
    if (command.do === "write") {
      const nowSec = Math.floor(opened.nowMs / 1_000);
      const windows = command.windows.map(({ lagSec, ...window }) => ({
        ...window,
        tsSec: Math.floor((nowSec - lagSec) / 10) * 10,
      }));
      await write(opened.store, opened.nowMs, windows);
      written.push(...windows);
    } else if (command.do === "wait") opened.nowMs += command.seconds * 1_000;
    else if (command.do === "maintain") await opened.store.maintain(command.job);
    else await opened.reopen();
  }
  return written;
}

test("every tier has the sums of the raw rows, whatever comes late, however often jobs and restarts come", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(commandArbitrary, { minLength: 5, maxLength: 25 }), async (commands) => {
      const opened = await OpenedStore.open((MIDNIGHT_SEC + 80_000) * 1_000);
      try {
        const written = await play(opened, commands);
        await compare(opened.store, written, [10, 60, 3_600, DAY_SEC]);
        for (const job of ["minutes", "hours", "days"] as const) await opened.store.maintain(job);
        await compare(opened.store, written, [60, 3_600, DAY_SEC]);
      } finally {
        await opened.close();
        fs.rmSync(opened.stateDir, { recursive: true });
      }
    }),
    { numRuns: 6 },
  );
});

test("sums by the minute, by the hour and by the day outlive the rows that they were made of", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(commandArbitrary, { minLength: 5, maxLength: 25 }), async (commands) => {
      const opened = await OpenedStore.open((MIDNIGHT_SEC + 80_000) * 1_000, { days: 1 });
      try {
        const written = await play(opened, commands);
        opened.nowMs += 3 * DAY_SEC * 1_000;
        await opened.store.maintain("retention");
        assert.deepEqual((await opened.store.size()).days.length, 1, "rows of today only");
        await compare(opened.store, written, [60, 3_600, DAY_SEC]);
      } finally {
        await opened.close();
        fs.rmSync(opened.stateDir, { recursive: true });
      }
    }),
    { numRuns: 4 },
  );
});

test("a range is answered to the window, though its middle comes from coarser rows", async () => {
  const opened = await OpenedStore.open((MIDNIGHT_SEC + DAY_SEC) * 1_000);
  const windows = Array.from({ length: 400 }, (_, i) => ({
    host: 1,
    tsSec: MIDNIGHT_SEC + i * 130,
    action: 0,
    durationsUs: [1_000],
  }));
  await write(opened.store, opened.nowMs, windows);
  for (const job of ["minutes", "hours"] as const) assert.ok((await opened.store.maintain(job)).rows > 0);
  const inside = (fromSec: number, toSec: number): number =>
    windows.filter(({ tsSec }) => tsSec >= fromSec && tsSec < toSec).length;
  for (const [from, to] of [
    [0, 52_000],
    [10, 40_010],
    [3_610, 3_600 * 9 - 10],
    [130, 140],
    [3_590, 7_210],
    [59, 3_800],
  ] as const) {
    const range = { fromSec: MIDNIGHT_SEC + from, toSec: MIDNIGHT_SEC + to };
    const [total] = await opened.store.requests.totals({ range }, { by: [], withHistograms: false });
    assert.equal(total?.requests ?? 0, inside(range.fromSec, range.toSec), `${from} to ${to}`);
  }
  await opened.close();
});

/** Many rows of few keys, so that jobs take several steps. */
async function filled(opened: OpenedStore, batches: number, rows: number): Promise<number> {
  for (let batch = 0; batch < batches; batch++) {
    const header = sampleHeader({
      stream: randomUUID(),
      actions: Array.from({ length: rows }, (_, i) =>
        sampleRequests([1 + i], {
          tsSec: MIDNIGHT_SEC + 10 * ((batch * rows + i) % 8_000),
          action: `a ${i % 50}`,
        }),
      ),
    });
    await opened.store.write({ batch: { header, frames: [] }, receivedMs: opened.nowMs, ...RECEIVED });
  }
  return batches * rows;
}

const countOf = async (store: DuckDbStore, stepSec: number): Promise<number> =>
  (
    await store.requests.totals({ range: EVERYTHING }, { by: ["app"], stepSec, withHistograms: false })
  ).reduce((sum, { requests }) => sum + requests, 0);

test("while a job is at work, every answer has each row once", async () => {
  const opened = await OpenedStore.open((MIDNIGHT_SEC + DAY_SEC + 100) * 1_000, { days: 1 });
  const rows = await filled(opened, 8, 5_000);
  opened.nowMs += 4 * DAY_SEC * 1_000;
  let answers = 0;
  for (const job of MAINTENANCE_JOBS) {
    const state = { isDone: false };
    const work = opened.store.maintain(job).finally(() => {
      state.isDone = true;
    });
    for (; !state.isDone; answers++) {
      assert.equal(await countOf(opened.store, 60), rows);
      assert.equal(await countOf(opened.store, 3_600), rows);
      assert.equal(await countOf(opened.store, DAY_SEC), rows);
    }
    await work;
  }
  assert.ok(answers > 3, `only ${answers} answers came meanwhile`);
  assert.deepEqual((await opened.store.size()).days.length, 1);
  await opened.close();
});

test("a store of a version without roll-ups is taken over, and a day of other tables too", async () => {
  const opened = await OpenedStore.open((MIDNIGHT_SEC + 80_000) * 1_000, { days: 1 });
  const windows = [1, 2, 3].map((host) => ({
    host,
    tsSec: MIDNIGHT_SEC + 70_000,
    action: 1,
    durationsUs: [5, 6],
  }));
  await write(opened.store, opened.nowMs, windows);
  await opened.close();
  const store = path.join(opened.stateDir, "store");
  for (const kind of ["minutes", "hours", "records", "traces", "sampled"])
    fs.rmSync(path.join(store, kind), { recursive: true });
  const [name = ""] = fs.readdirSync(path.join(store, "hot"));
  fs.renameSync(path.join(store, "hot", name), path.join(store, "hot", "2026-11-23-00000000.duckdb"));
  const again = await OpenedStore.open(opened.nowMs + 5 * DAY_SEC * 1_000, { days: 1 }, opened.stateDir);
  await compare(again.store, windows, [10, 60, 3_600]);
  const { removedFiles } = await again.store.maintain("retention");
  assert.equal(removedFiles, 1);
  await compare(again.store, windows, [60, 3_600]);
  await again.close();
});

/** As a build left the file that had no such table yet, under the name of other tables. */
async function withoutTables(folder: string, tables: readonly string[]): Promise<void> {
  const [name = ""] = fs.readdirSync(folder).filter((file) => file.endsWith(".duckdb"));
  const older = path.join(folder, name.replace(/-[0-9a-f]{8}\.duckdb$/, "-00000000.duckdb"));
  fs.renameSync(path.join(folder, name), older);
  const instance = await DuckDBInstance.create(older);
  const connection = await instance.connect();
  for (const table of tables) {
    await connection.run(`DROP TABLE ${table}`);
    await connection.run(`DELETE FROM marks WHERE target = '${table}'`);
  }
  connection.disconnectSync();
  instance.closeSync();
}

test("where a file of sums lacks a table of later builds, another stands in for it, and goes on where that ended", async () => {
  const opened = await OpenedStore.open((MIDNIGHT_SEC + 70_000) * 1_000, { days: 1 });
  const windows = (tsSec: number): Window[] =>
    [0, 1, 2].map((action) => ({ host: 1, tsSec, action, durationsUs: [5 + action, 6] }));
  await write(opened.store, opened.nowMs, windows(MIDNIGHT_SEC + 60_000));
  for (const job of ["minutes", "hours"] as const) assert.ok((await opened.store.maintain(job)).rows > 0);
  await opened.close();
  for (const kind of ["minutes", "hours"])
    await withoutTables(path.join(opened.stateDir, "store", kind), [
      "requests_by_app",
      "operations_by_store",
    ]);
  await opened.reopen();
  await write(opened.store, opened.nowMs, windows(MIDNIGHT_SEC + 60_010));
  const check = async (): Promise<void> => {
    for (const stepSec of [60, 3_600, DAY_SEC]) {
      const calls = await opened.store.operations.steps({ range: EVERYTHING, app: "shop" }, stepSec);
      assert.deepEqual(
        calls.map(({ calls: n }) => n),
        [12],
        `calls by ${stepSec} s`,
      );
      const [total, ...others] = await opened.store.requests.totals(
        { range: EVERYTHING, app: "shop" },
        { by: [], stepSec, withHistograms: true },
      );
      assert.deepEqual([total?.requests, total?.errors, others], [12, 4, []], `by ${stepSec} s`);
      assert.equal(
        total?.histogram.counts.reduce((sum, n) => sum + n, 0),
        12,
      );
    }
  };
  await check();
  for (const job of ["minutes", "hours"] as const) await opened.store.maintain(job);
  await check();
  opened.nowMs += DAY_SEC * 1_000;
  assert.ok((await opened.store.maintain("days")).rows > 0);
  await check();
  await opened.reopen();
  await check();
  opened.nowMs += 3 * DAY_SEC * 1_000;
  await opened.store.maintain("retention");
  await check();
  await opened.close();
});

test("days whose hours are gone are made anew", async () => {
  const opened = await OpenedStore.open((MIDNIGHT_SEC + 60_000) * 1_000, { days: 1 });
  const windows = [0, 1, 2].map((action) => ({
    host: 1,
    tsSec: MIDNIGHT_SEC + 50_000,
    action,
    durationsUs: [5, 6],
  }));
  await write(opened.store, opened.nowMs, windows);
  opened.nowMs += DAY_SEC * 1_000;
  for (const job of ["hours", "days"] as const) assert.ok((await opened.store.maintain(job)).rows > 0);
  assert.equal((await opened.store.maintain("days")).rows, 0, "nothing is taken in again");
  await opened.close();
  fs.rmSync(path.join(opened.stateDir, "store", "hours"), { recursive: true });
  await opened.reopen();
  await compare(opened.store, windows, [3_600, DAY_SEC]);
  for (const job of ["hours", "days"] as const) assert.ok((await opened.store.maintain(job)).rows > 0);
  await compare(opened.store, windows, [3_600, DAY_SEC]);
  await opened.close();
});

test("late rows that become hours and days while they are asked for are in each answer once", async () => {
  const opened = await OpenedStore.open((MIDNIGHT_SEC + DAY_SEC + 100) * 1_000);
  let rows = await filled(opened, 2, 5_000);
  opened.nowMs += 2 * DAY_SEC * 1_000;
  for (const job of ["minutes", "hours", "days"] as const) await opened.store.maintain(job);
  for (let round = 0; round < 4; round++) {
    // Of a day that is in the days already.
    rows += await filled(opened, 1, 2_000);
    const state = { isDone: false };
    const work = (async () => {
      for (const job of ["minutes", "hours", "days"] as const) await opened.store.maintain(job);
      state.isDone = true;
    })();
    for (; !state.isDone; ) {
      const answers = await Promise.all(Array.from({ length: 6 }, () => countOf(opened.store, DAY_SEC)));
      assert.deepEqual(answers, Array(6).fill(rows), `round ${round}`);
    }
    await work;
    opened.nowMs += 3_700 * 1_000;
  }
  await opened.close();
});

test("a store whose hours and hot files are gone is opened, and its days are put aside", async () => {
  const opened = await OpenedStore.open((MIDNIGHT_SEC + 60_000) * 1_000, { days: 1 });
  await filled(opened, 1, 100);
  opened.nowMs += DAY_SEC * 1_000;
  for (const job of ["hours", "days"] as const) await opened.store.maintain(job);
  await opened.close();
  for (const kind of ["hours", "hot"])
    fs.rmSync(path.join(opened.stateDir, "store", kind), { recursive: true });
  await opened.reopen();
  assert.match(opened.warnings.join("\n"), /hours of 2026-11 are not there any more/);
  assert.equal(fs.readdirSync(path.join(opened.stateDir, "store", "quarantine")).length, 1);
  assert.equal(await countOf(opened.store, DAY_SEC), 0);
  const rows = await filled(opened, 1, 100);
  assert.equal(await countOf(opened.store, DAY_SEC), rows);
  await opened.close();
});
