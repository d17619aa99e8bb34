import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  type ActionRow,
  type BatchHeader,
  bucketMiddleUs,
  bucketOf,
  MAX_RECENT_ROWS,
  type OperationRow,
  type RecentReport,
  type SlowStatementRow,
  type TraceSummary,
  type Verdict,
} from "@apm-daemon/protocol";
import { sampleHeader } from "../testing/sample-header.ts";
import { RecentHour } from "./recent-hour.ts";

const START_MS = 1_790_000_040_000;

class TestClock {
  nowUnixMs = START_MS;
  unixMs(): number {
    return this.nowUnixMs;
  }
  get tsSec(): number {
    return Math.floor(this.nowUnixMs / 10_000) * 10;
  }
}

function hourAt(clock: TestClock): RecentHour {
  return new RecentHour({ host: { name: "web-1" }, clock, slowMs: (app) => (app === "shop" ? 500 : 100) });
}

function action(tsSec: number, durationUs: number, changes: Partial<ActionRow> = {}): ActionRow {
  return {
    tsSec,
    app: "shop",
    action: "GET /",
    kind: "web",
    status: 200,
    requests: 1,
    errors: 0,
    satisfied: 1,
    tolerating: 0,
    frustrated: 0,
    sumUs: durationUs,
    maxUs: durationUs,
    codeUs: durationUs,
    databaseUs: 0,
    cacheUs: 0,
    externalUs: 0,
    queueUs: 0,
    histogram: { buckets: [bucketOf(durationUs)], counts: [1] },
    ...changes,
  };
}

function call(tsSec: number, durationUs: number, changes: Partial<OperationRow> = {}): OperationRow {
  return {
    tsSec,
    app: "shop",
    action: "GET /",
    category: "database",
    system: "postgresql",
    target: "db:5432",
    operation: "SELECT stock",
    statement: "0011223344556677",
    calls: 1,
    errors: 0,
    sumUs: durationUs,
    maxUs: durationUs,
    histogram: { buckets: [bucketOf(durationUs)], counts: [1] },
    ...changes,
  };
}

function slowStatement(endUnixMs: number, durationUs: number): SlowStatementRow {
  const { app, action, system, target, operation, statement } = call(0, 0);
  const stack = "at findStock (/srv/shop/stock.js:7:3)\nat other (/srv/shop/app.js:1:1)";
  const place = {
    app,
    action,
    system,
    target,
    operation,
    statement,
    text: "",
    traceId: "ab".repeat(16),
    stack,
  };
  return { ...place, endUnixMs, durationUs, error: false };
}

function trace(endUnixMs: number, durationMs: number, changes: Partial<TraceSummary> = {}): TraceSummary {
  return {
    traceId: "ab".repeat(16),
    rootSpanId: "cd".repeat(8),
    app: "shop",
    instance: "i",
    action: "GET /",
    kind: "web",
    startUnixMs: endUnixMs - durationMs,
    durationUs: durationMs * 1_000,
    status: 200,
    error: false,
    spans: 3,
    reason: "slow",
    ...changes,
  };
}

function seal(hour: RecentHour, changes: Partial<BatchHeader>): void {
  hour.add(sampleHeader(1, changes));
}

async function report(hour: RecentHour, minutes = 10, app?: string): Promise<RecentReport> {
  return (await hour.report(app === undefined ? { minutes } : { minutes, app })) ?? assert.fail("busy");
}

test("rows of many seals, statuses and callers are one row, whose percentile is that of the merged histograms", async () => {
  const clock = new TestClock();
  const hour = hourAt(clock);
  const spread = (fast: number, slow: number) => ({
    requests: fast + slow,
    calls: fast + slow,
    sumUs: fast * 1_000 + slow * 200_000,
    maxUs: slow > 0 ? 200_000 : 1_000,
    histogram: {
      buckets: slow > 0 ? [bucketOf(1_000), bucketOf(200_000)] : [bucketOf(1_000)],
      counts: slow > 0 ? [fast, slow] : [fast],
    },
  });
  for (let i = 0; i < 20; i++) {
    clock.nowUnixMs += 10_000;
    const tsSec = clock.tsSec - 10;
    seal(hour, {
      actions: [
        action(tsSec, 0, { ...spread(i < 10 ? 100 : 84, i < 10 ? 0 : 6), satisfied: 100 }),
        action(tsSec, 0, { ...spread(0, 10), status: 500, errors: 10, satisfied: 0, frustrated: 10 }),
      ],
      operations: [call(tsSec, 0, spread(5, 0)), call(tsSec, 0, { ...spread(4, 1), action: "other" })],
    });
  }
  const { actions, calls, requests, errors, totalTimeMs } = await report(hour);
  assert.equal(actions.length, 1);
  const [found = assert.fail()] = actions;
  assert.deepEqual([requests, errors, found.requests, found.errors], [2_100, 200, 2_100, 200]);
  assert.equal(found.totalTimeMs, 1_840 + 260 * 200);
  assert.equal(found.totalTimeMs, totalTimeMs);
  assert.equal(found.share, 1);
  assert.equal(found.apdex, 2_000 / 2_200);
  // 260 of 2,100 are slow: 12 %. A mean of the parts' percentiles would be another.
  assert.equal(found.p95Ms, Math.min(200, bucketMiddleUs(bucketOf(200_000)) / 1_000));
  assert.equal(found.maxMs, 200);
  assert.deepEqual(
    calls.map(({ calls, totalTimeMs, share }) => ({ calls, totalTimeMs, share })),
    [{ calls: 200, totalTimeMs: 4_180, share: 4_180 / totalTimeMs }],
  );
});

test("only the minutes and the app that are asked for, and nothing older than an hour or of the future", async () => {
  const clock = new TestClock();
  const hour = hourAt(clock);
  seal(hour, { actions: [action(clock.tsSec, 1_000)] });
  clock.nowUnixMs += 20 * 60_000;
  seal(hour, {
    actions: [
      action(clock.tsSec, 2_000, { app: "stock" }),
      action(clock.tsSec, 4_000),
      action(clock.tsSec + 7_200, 8_000),
    ],
  });
  assert.equal((await report(hour, 60)).totalTimeMs, 7);
  assert.equal((await report(hour, 20)).totalTimeMs, 7);
  assert.equal((await report(hour, 19)).totalTimeMs, 6);
  const stock = await report(hour, 60, "stock");
  assert.deepEqual([stock.totalTimeMs, stock.actions[0]?.share, stock.sinceUnixMs], [2, 1, START_MS]);
  assert.ok(stock.fromUnixMs < START_MS);
  clock.nowUnixMs += 45 * 60_000;
  seal(hour, {});
  assert.equal((await report(hour, 60)).totalTimeMs, 6);
});

test("actions and calls beyond a minute's limit are counted as (other): sums stay, and how many is said", async () => {
  const clock = new TestClock();
  const hour = hourAt(clock);
  const names = Array.from({ length: 700 }, (_, i) => `GET /${i}`);
  seal(hour, {
    actions: names.map((name, i) => action(clock.tsSec, 1_000 + i, { action: name })),
    operations: names.map((name, i) => call(clock.tsSec, 1_000 + i, { operation: name })),
  });
  const whole = (700 * 1_000 + (699 * 700) / 2) / 1_000;
  const { actions, calls, totalTimeMs, requests, leftOut } = await report(hour);
  assert.ok(Math.abs(totalTimeMs - whole) < 1e-6);
  assert.equal(requests, 700);
  assert.equal(actions.length, MAX_RECENT_ROWS);
  assert.deepEqual([actions[0]?.action, actions[0]?.requests], ["(other)", 500]);
  assert.deepEqual([calls[0]?.operation, calls[0]?.calls, calls[0]?.system], ["(other)", 500, ""]);
  assert.deepEqual(leftOut, { actions: 500, calls: 500, slowStatements: 0, traces: 0, minutes: 0 });
});

test("traces are those of slow or failed requests, the newest first, with their verdicts", async () => {
  const clock = new TestClock();
  const hour = hourAt(clock);
  const verdict: Verdict = {
    causes: [],
    time: { part: "code", ratio: 1, target: "" },
    confidence: "low",
    doubts: [],
    baselineSeconds: 0,
    seconds: 1,
  };
  const now = clock.nowUnixMs;
  seal(hour, {
    traces: [
      trace(now - 4_000, 499, { action: "fast" }),
      trace(now - 3_000, 501, { action: "slow" }),
      trace(now - 5_000, 101, { action: "slow for it", app: "stock" }),
      trace(now - 2_000, 1, { action: "failed", error: true }),
      trace(now - 1_000, 1, { action: "judged", verdict }),
    ],
  });
  const { traces } = await report(hour);
  assert.deepEqual(
    traces.map((one) => [one.action, one.durationMs, one.verdict]),
    [
      ["judged", 1, verdict],
      ["failed", 1, undefined],
      ["slow", 501, undefined],
      ["slow for it", 101, undefined],
    ],
  );
  seal(hour, { traces: Array.from({ length: 60 }, (_, i) => trace(now, 1_000 + i)) });
  assert.equal((await report(hour)).leftOut.traces, 10);
});

test("a statement has its text though batches go without, cut, and the frame that called", async () => {
  const clock = new TestClock();
  const hour = hourAt(clock);
  const text = `SELECT ${"a, ".repeat(400)}`;
  hour.addStatements([{ fingerprint: "0011223344556677", app: "shop", system: "postgresql", text }]);
  seal(hour, {
    operations: [call(clock.tsSec, 1_000)],
    slowStatements: [slowStatement(clock.nowUnixMs, 700_000), slowStatement(clock.nowUnixMs, 900_000)],
  });
  const { calls, slowStatements } = await report(hour);
  assert.equal(calls[0]?.text, text.slice(0, 400));
  assert.equal(calls[0]?.share, null);
  assert.deepEqual(
    slowStatements.map(({ durationMs, text, caller }) => [durationMs, text.length, caller]),
    [
      [900, 400, "at findStock (/srv/shop/stock.js:7:3)"],
      [700, 400, "at findStock (/srv/shop/stock.js:7:3)"],
    ],
  );
});

test("only two may ask at once", async () => {
  const hour = hourAt(new TestClock());
  seal(hour, { actions: [action(START_MS / 1_000, 1)] });
  const answers = await Promise.all([1, 2, 3].map((minutes) => hour.report({ minutes })));
  assert.deepEqual(
    answers.map((answer) => answer !== null),
    [true, true, false],
  );
  assert.notEqual(await hour.report({ minutes: 1 }), null);
});

/** As a host with more names, statements and slow requests than it may remember: so many minutes of them. */
function busyMinutes(clock: TestClock, minutes: number): RecentHour {
  const hour = hourAt(clock);
  let random = 1;
  const next = (): number => (random = (random * 16_807) % 2_147_483_647);
  const histograms = Array.from({ length: 100 }, () => {
    const buckets = [...new Set(Array.from({ length: 60 }, () => next() % 1_200))].sort((a, b) => a - b);
    return { buckets, counts: buckets.map(() => next() % 1_000) };
  });
  const histogram = (): ActionRow["histogram"] => histograms[next() % 100] ?? assert.fail();
  for (let i = 0; i < 2 * minutes; i++) {
    clock.nowUnixMs += 30_000;
    const tsSec = clock.tsSec - 10;
    const names = Array.from({ length: 400 }, (_, k) => `GET /api/v1/${k}/:id/${next()}`);
    hour.addStatements(
      names.map((name) => ({ fingerprint: name, app: "shop", system: "", text: name.repeat(20) })),
    );
    seal(hour, {
      actions: names.map((name) => action(tsSec, next(), { action: name, histogram: histogram() })),
      operations: names.map((name) => call(tsSec, next(), { operation: name, histogram: histogram() })),
      slowStatements: names.map(() => slowStatement(clock.nowUnixMs, next())),
      traces: names.map((name) => trace(clock.nowUnixMs, next() % 90_000, { action: name })),
    });
  }
  return hour;
}

test("a whole hour of more than fits takes at most 8 MB: the oldest minutes went, and are counted", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  // Buffers are given back a little after the collection that found them.
  const held = async (): Promise<number> => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      collectGarbage();
      await delay(20);
      const { heapUsed, external } = process.memoryUsage();
      least = Math.min(least, heapUsed + external);
    }
    return least;
  };
  const clock = new TestClock();
  await report(busyMinutes(clock, 4), 1);
  const before = await held();
  const hour = busyMinutes(clock, 61);
  const heldBytes = (await held()) - before;
  assert.ok(hour.bytes > 5_500_000 && hour.bytes <= 8_000_000, `${hour.bytes} by its own count`);
  assert.ok(heldBytes <= 8_000_000, `${heldBytes} bytes`);
  const { leftOut, actions } = await report(hour, 60);
  assert.ok(leftOut.minutes > 0 && leftOut.minutes < 60, `${leftOut.minutes} minutes`);
  assert.ok(leftOut.traces > 0 && leftOut.slowStatements > 0);
  assert.equal(actions[0]?.action, "(other)");
});
