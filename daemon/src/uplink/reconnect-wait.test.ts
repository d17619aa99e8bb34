import assert from "node:assert/strict";
import { test } from "node:test";
import { ReconnectWait, retryAfterMs } from "./reconnect-wait.ts";

test("one daemon comes back within half a second, and backs off from there", () => {
  const wait = new ReconnectWait(() => 1);
  assert.deepEqual([wait.next(), wait.next(), wait.next()], [500, 1_000, 2_000]);
  wait.reset();
  assert.equal(wait.next(), 500);
});

test("the collector's spread is the least ceiling, also after failures; nonsense is none, and 30 s the most", () => {
  const wait = new ReconnectWait(() => 1);
  wait.spread(8_000);
  assert.deepEqual(
    Array.from({ length: 7 }, () => wait.next()),
    [8_000, 8_000, 8_000, 8_000, 8_000, 16_000, 30_000],
  );
  for (const [wanted, ceiling] of [
    [1e12, 30_000],
    [-1, 500],
    [Number.NaN, 500],
    ["9000", 500],
    [undefined, 500],
  ] as const) {
    const other = new ReconnectWait(() => 1);
    other.spread(wanted);
    assert.equal(other.next(), ceiling, String(wanted));
  }
});

test("retry-after is waited first, at most 5 minutes of it are believed", () => {
  assert.equal(new ReconnectWait(() => 0.5).next(10_000), 10_250);
  assert.equal(new ReconnectWait(() => 0.5).next(1e9), 300_250);
});

test("retry-after is seconds or a date", () => {
  const nowUnixMs = Date.parse("Wed, 25 Nov 2026 18:00:00 GMT");
  const cases: [string | undefined, number][] = [
    [undefined, 0],
    ["10", 10_000],
    [" 0 ", 0],
    ["-5", 0],
    ["soon", 0],
    ["Wed, 25 Nov 2026 18:00:30 GMT", 30_000],
    ["Wed, 25 Nov 2026 17:00:00 GMT", 0],
  ];
  for (const [header, ms] of cases) assert.equal(retryAfterMs(header, nowUnixMs), ms, header);
});

/** Numbers in [0, 1), the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Outage {
  /** Attempts per second while the collector was up, until all were back. */
  perSecond: number[];
  allBackMs: number;
}

/** A fleet that loses the collector at 0 and finds it again at `backAtMs`, in virtual time. */
function outage(daemons: number, spreadMs: number, backAtMs: number, random: () => number): Outage {
  const arrivals = Array.from({ length: daemons }, () => {
    const wait = new ReconnectWait(random);
    wait.spread(spreadMs);
    let atMs = wait.next();
    while (atMs < backAtMs) atMs += wait.next();
    return atMs - backAtMs;
  });
  const allBackMs = Math.max(...arrivals);
  const perSecond = Array.from({ length: Math.ceil((allBackMs + 1) / 1_000) }, () => 0);
  for (const ms of arrivals) (perSecond[Math.floor(ms / 1_000)] as number)++;
  return { perSecond, allBackMs };
}

test("1,000 daemons come back evenly after a restart, a slow one, and an hour", (t) => {
  for (const backAtMs of [0, 5_000, 60_000, 3_600_000]) {
    for (let seed = 1; seed <= 20; seed++) {
      const { perSecond, allBackMs } = outage(1_000, 30_000, backAtMs, seeded(seed));
      const ratio = Math.max(...perSecond) / (1_000 / perSecond.length);
      assert.ok(ratio <= 3, `back after ${backAtMs} ms, seed ${seed}: peak / mean ${ratio}`);
      assert.ok(allBackMs <= 60_000, `${allBackMs} ms`);
      if (seed === 1)
        t.diagnostic(
          `away ${backAtMs} ms: peak / mean ${ratio.toFixed(2)}, all back in ${Math.round(allBackMs)} ms`,
        );
    }
  }
});

test("without the spread the same restart is a storm: the test above can fail", () => {
  const { perSecond } = outage(1_000, 0, 0, seeded(1));
  assert.equal(perSecond.length, 1);
});
