import assert from "node:assert/strict";
import { test } from "node:test";
import type { KeepReason } from "@apm-daemon/protocol";
import { spanId } from "../testing/frame-writer.ts";
import { type TraceCandidate, TraceKeeper, type TraceKeeperOptions } from "./trace-keeper.ts";

function keeper(options: Partial<TraceKeeperOptions> = {}): TraceKeeper {
  return new TraceKeeper({
    keep: "sampled",
    errorsPerAction: 0,
    slowestPerAction: 0,
    randomPerAction: 0,
    random: () => 0.999,
    ...options,
  });
}

function candidate(
  number: number,
  changes: Partial<TraceCandidate & { spans: number }> = {},
): TraceCandidate {
  const { app = "shop", action = "GET /", isError = false, durationUs = 10, spans = 1 } = changes;
  return {
    app,
    action,
    isError,
    durationUs,
    positions: [number],
    summarise: (reason: KeepReason) => ({
      traceId: spanId(number) + spanId(number),
      rootSpanId: spanId(number),
      app,
      instance: "",
      action,
      kind: "web",
      startUnixMs: 0,
      durationUs,
      status: 200,
      error: isError,
      spans,
      reason,
    }),
  };
}

/** Number and reason of each kept trace, in order. */
function drained(traces: TraceKeeper): string[] {
  return traces.drain().map(({ summary, positions }) => `${positions[0]} ${summary.reason}`);
}

/** Pseudo-random numbers that are the same in each run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

test("the first errors of each action are kept, up to the limit", () => {
  const traces = keeper({ errorsPerAction: 2 });
  for (let number = 1; number <= 9; number++)
    traces.offer(candidate(number, { isError: number % 2 === 0, action: number < 8 ? "GET /" : "POST /" }));
  assert.deepEqual(drained(traces), ["2 error", "4 error", "8 error"]);
});

test("the slowest of each action are kept, whatever their order", () => {
  for (const durations of [
    [1, 2, 3, 4, 5, 6],
    [6, 5, 4, 3, 2, 1],
    [3, 6, 1, 5, 2, 4],
  ]) {
    const traces = keeper({ slowestPerAction: 3 });
    durations.forEach((durationUs) => traces.offer(candidate(durationUs, { durationUs })));
    assert.deepEqual(drained(traces).sort(), ["4 slow", "5 slow", "6 slow"]);
  }
});

test("an error beyond the limit of errors may still be among the slowest", () => {
  const traces = keeper({ errorsPerAction: 1, slowestPerAction: 1 });
  traces.offer(candidate(1, { isError: true }));
  traces.offer(candidate(2, { isError: true, durationUs: 99 }));
  assert.deepEqual(drained(traces), ["1 error", "2 slow"]);
});

test("the random one is chosen fairly, also when errors were kept before it", () => {
  const random = seeded(7);
  const chosen = new Map<string, number>();
  const rounds = 20_000;
  for (let round = 0; round < rounds; round++) {
    const traces = keeper({ errorsPerAction: 5, randomPerAction: 1, random });
    for (let number = 1; number <= 5; number++) traces.offer(candidate(100 + number, { isError: true }));
    for (let number = 1; number <= 8; number++) traces.offer(candidate(number));
    const sampled = drained(traces).filter((kept) => kept.endsWith("random"));
    assert.equal(sampled.length, 1);
    chosen.set(sampled[0] as string, (chosen.get(sampled[0] as string) ?? 0) + 1);
  }
  assert.equal(chosen.size, 8);
  // Five standard deviations around 1/8.
  for (const [who, times] of chosen) assert.ok(Math.abs(times - rounds / 8) < 240, `${who}: ${times} times`);
});

test("a request that is both slow and chosen at random is kept once, as slow", () => {
  const traces = keeper({ slowestPerAction: 2, randomPerAction: 3 });
  for (let number = 1; number <= 3; number++) traces.offer(candidate(number, { durationUs: number }));
  assert.deepEqual(drained(traces).sort(), ["1 random", "2 slow", "3 slow"]);
});

test("keep = all keeps each, errors first", () => {
  const traces = keeper({ keep: "all" });
  for (let number = 1; number <= 50; number++) traces.offer(candidate(number, { isError: number === 50 }));
  const kept = drained(traces);
  assert.equal(kept.length, 50);
  assert.equal(kept[0], "50 error");
  assert.equal(new Set(kept).size, 50);
});

test("actions of the same name in two apps are sampled apart, and a drain begins anew", () => {
  const traces = keeper({ slowestPerAction: 1 });
  traces.offer(candidate(1, { app: "shop" }));
  traces.offer(candidate(2, { app: "stock" }));
  assert.deepEqual(drained(traces).sort(), ["1 slow", "2 slow"]);
  assert.deepEqual(drained(traces), []);
  traces.offer(candidate(3));
  assert.deepEqual(drained(traces), ["3 slow"]);
});

test("more traces or spans than a batch takes are passed over, counted, errors last", () => {
  const many = keeper({ keep: "all" });
  for (let number = 1; number <= 2_500; number++)
    many.offer(candidate(number, { action: `${number % 50}`, isError: number > 2_490 }));
  const kept = drained(many);
  assert.equal(kept.length, 2_000);
  assert.equal(kept.filter((trace) => trace.endsWith("error")).length, 10);
  assert.equal(many.passedOver, 500);

  const large = keeper({ keep: "all" });
  for (let number = 1; number <= 200; number++) large.offer(candidate(number, { spans: 1_000_000 }));
  assert.equal(large.drain().length, 50);
  assert.equal(large.passedOver, 150);
});
