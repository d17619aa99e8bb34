import assert from "node:assert/strict";
import { test } from "node:test";
import type { SecondsTable, TraceSummary } from "@apm-daemon/protocol";
import { LoggedLines } from "../testing/logged-lines.ts";
import type { TimeUse } from "./request-time.ts";
import { WhySlow, type WhySlowOptions, withVerdict } from "./why-slow.ts";

const START_SEC = 1_790_000_000;
const USE: TimeUse = { code: 1, queue: 0, waiting: { database: 0, cache: 0, external: 0 }, waits: [] };
const SECONDS: SecondsTable = {
  tsSec: Array.from({ length: 310 }, (_, i) => START_SEC - 300 + i),
  columns: { psiCpuSomeRatio: Array.from({ length: 310 }, () => 0.01) },
};

function trace(changes: Partial<TraceSummary> = {}, use: TimeUse | null = USE) {
  const summary: TraceSummary = {
    traceId: "a".repeat(32),
    rootSpanId: "a".repeat(16),
    app: "shop",
    instance: "i",
    action: "GET /",
    kind: "web",
    startUnixMs: START_SEC * 1_000,
    durationUs: 1_500_000,
    status: 200,
    error: false,
    spans: 1,
    reason: "slow",
    ...changes,
  };
  return { summary, use };
}

function explainer(changes: Partial<WhySlowOptions> = {}) {
  const lines = new LoggedLines();
  const asked: [number, number][] = [];
  const whySlow = new WhySlow({
    host: {
      between(from, to) {
        asked.push([from, to]);
        return SECONDS;
      },
      busiest: () => [],
    },
    processes: { between: () => null },
    cores: () => 2,
    instances: () => [{ instance: "i", pid: 1 }],
    apdexTMs: () => 500,
    monoMs: () => 0,
    cpuMs: () => 0,
    log: lines.log,
    ...changes,
  });
  return { whySlow, lines, asked };
}

test("what is slow, failed, repeats calls or frustrates gets a verdict, the others none", () => {
  const { whySlow, asked } = explainer();
  const verdicts = whySlow.explain([
    trace(),
    trace({ reason: "random" }),
    trace({ reason: "random", durationUs: 2_000_001 }),
    trace({ reason: "random", durationUs: 2_000_000 }),
    trace({ reason: "error", error: true, durationUs: 1 }),
    trace({ reason: "n_plus_one" }),
    trace({}, null),
  ]);
  assert.deepEqual(
    verdicts.map((verdict) => verdict !== null),
    [true, false, true, false, true, true, false],
  );
  assert.deepEqual(whySlow.counts, { made: 4, failed: 0, leftOut: 0 });
  // The host's seconds are read once: those of all requests, and the five minutes before.
  assert.deepEqual(asked, [[START_SEC - 300, START_SEC + 4]]);
});

test("nothing is read when nothing was slow", () => {
  const { whySlow, asked } = explainer();
  assert.deepEqual(whySlow.explain([trace({ reason: "random" })]), [null]);
  assert.deepEqual(asked, []);
});

test("a failure costs the verdicts alone, is logged once, and counted", () => {
  const { whySlow, lines } = explainer({
    cores: () => {
      throw new Error("no cores");
    },
  });
  assert.deepEqual(whySlow.explain([trace(), trace()]), [null, null]);
  assert.deepEqual(whySlow.explain([trace()]), [null]);
  assert.deepEqual(whySlow.counts, { made: 0, failed: 3, leftOut: 0 });
  assert.equal(lines.sentences.length, 1);
  const unreadable = explainer({ processes: { between: () => assert.fail("gone") } });
  assert.deepEqual(unreadable.whySlow.explain([trace()]), [null]);
});

test("what does not fit into the time of a seal is left out and counted", () => {
  let ms = 0;
  const { whySlow } = explainer({ cpuMs: () => (ms += 60) });
  const verdicts = whySlow.explain(Array.from({ length: 20 }, () => trace()));
  const made = verdicts.filter((verdict) => verdict !== null).length;
  assert.ok(made > 0 && made < 20);
  assert.deepEqual(whySlow.counts, { made, failed: 0, leftOut: 20 - made });
});

test("a summary without a verdict has no such field", () => {
  assert.deepEqual(withVerdict({ a: 1 }, null), { a: 1 });
});
