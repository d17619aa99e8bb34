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
    repeatsPerAction: 0,
    slowUs: () => Number.POSITIVE_INFINITY,
    randomPerAction: 0,
    random: () => 0.999,
    ...options,
  });
}

function candidate(
  number: number,
  changes: Partial<TraceCandidate & { spans: number; repeats: boolean }> = {},
): TraceCandidate {
  const {
    app = "shop",
    action = "GET /",
    isError = false,
    durationUs = 10,
    spans = 1,
    repeats = false,
  } = changes;
  return {
    app,
    action,
    isError,
    durationUs,
    positions: [number],
    hasRepeat: () => repeats,
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

test("the first that repeats a call is kept for it, if it is not kept as an error or as slow, and only if that is wanted", () => {
  const offered = [
    candidate(1, { isError: true, repeats: true }),
    candidate(2, { durationUs: 99, repeats: true }),
    candidate(3),
    candidate(4, { repeats: true }),
    candidate(5, { repeats: true }),
  ];
  const wanted = { errorsPerAction: 1, slowestPerAction: 1, repeatsPerAction: 2 };
  for (const [options, expected] of [
    [wanted, ["1 error", "2 slow", "4 n_plus_one"]],
    [{ ...wanted, repeatsPerAction: 3 }, ["1 error", "2 slow", "4 n_plus_one", "5 n_plus_one"]],
    [{ ...wanted, repeatsPerAction: 0 }, ["1 error", "2 slow"]],
  ] as const) {
    const traces = keeper(options);
    for (const one of offered) traces.offer(one);
    assert.deepEqual(drained(traces), expected);
  }
});

test("whether a call was repeated is not asked once there is no room", () => {
  let asked = 0;
  const traces = keeper({ repeatsPerAction: 1 });
  for (let number = 1; number <= 5; number++) {
    traces.offer({
      ...candidate(number),
      hasRepeat() {
        asked++;
        return number === 2;
      },
    });
  }
  assert.deepEqual([drained(traces), asked], [["2 n_plus_one"], 2]);
});

test("what takes as long as its app's threshold is kept as slow, the ten slowest, beside the slowest of others", () => {
  const options = { slowestPerAction: 2, slowUs: (app: string) => (app === "shop" ? 100 : 1_000) };
  const keptOf = (...durations: number[]): string[] => {
    const traces = keeper(options);
    for (const durationUs of durations) traces.offer(candidate(durationUs, { durationUs }));
    return drained(traces)
      .map((trace) => trace.replace(" slow", ""))
      .sort((a, b) => Number(a) - Number(b));
  };
  assert.deepEqual(keptOf(97, 98, 99), ["98", "99"]);
  assert.deepEqual(keptOf(98, 99, 100), ["99", "100"]);
  assert.deepEqual(keptOf(100, 98, 101, 99, 102), ["100", "101", "102"]);
  assert.deepEqual(keptOf(98, 102, 99, 101, 100), ["100", "101", "102"]);
  const many = Array.from({ length: 12 }, (_, i) => 100 + i);
  const tenSlowest = many.slice(2).map(String);
  assert.deepEqual(keptOf(...many), tenSlowest);
  assert.deepEqual(keptOf(...many.toReversed(), 99), tenSlowest);
});

test("the threshold is the app's own, and holds also where no slowest are wanted", () => {
  const traces = keeper({ slowUs: (app) => (app === "shop" ? 100 : 1_000) });
  for (const [number, app] of [
    [1, "shop"],
    [2, "stock"],
  ] as const)
    traces.offer(candidate(number, { app, durationUs: 999 }));
  assert.deepEqual(drained(traces), ["1 slow"]);
});

test("keep = all says which were slow", () => {
  const traces = keeper({ keep: "all", slowUs: () => 100 });
  traces.offer(candidate(1, { durationUs: 99 }));
  traces.offer(candidate(2, { durationUs: 100 }));
  traces.offer(candidate(3, { durationUs: 100, isError: true }));
  assert.deepEqual(drained(traces), ["3 error", "2 slow", "1 random"]);
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
