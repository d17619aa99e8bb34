import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Beat, type BeatClock } from "./beat.ts";

/** A clock whose time passes only when told: `late` is how long after its due time a timer runs. */
class ManualClock implements BeatClock {
  wallMs: number;
  elapsedMs = 0;
  #due: { atMs: number; run: () => void } | null = null;

  constructor(wallMs: number) {
    this.wallMs = wallMs;
  }

  unixMs(): number {
    return this.wallMs;
  }

  monoMs(): number {
    return this.elapsedMs;
  }

  after(delayMs: number, run: () => void): () => void {
    this.#due = { atMs: this.elapsedMs + delayMs, run };
    return () => {
      this.#due = null;
    };
  }

  get isArmed(): boolean {
    return this.#due !== null;
  }

  runNext(lateMs = 0): void {
    const due = this.#due;
    assert.ok(due, "no timer is armed");
    this.pass(due.atMs - this.elapsedMs + lateMs);
    this.#due = null;
    due.run();
  }

  pass(ms: number): void {
    this.wallMs += ms;
    this.elapsedMs += ms;
  }
}

function startBeat(clock: ManualClock): { beat: Beat; named: number[]; monoMs: number[] } {
  const named: number[] = [];
  const monoMs: number[] = [];
  const onSecond = (tsSec: number, nowMs: number): void => {
    named.push(tsSec);
    monoMs.push(nowMs);
  };
  const beat = new Beat({ onSecond, clock });
  beat.start();
  return { beat, named, monoMs };
}

test("each second is named once, just after it is complete", () => {
  const clock = new ManualClock(1_000_400);
  const { named, monoMs } = startBeat(clock);
  for (let i = 0; i < 4; i++) clock.runNext();
  assert.deepEqual(named, [1000, 1001, 1002, 1003]);
  assert.deepEqual(monoMs, [601, 1601, 2601, 3601]);
});

test("timers that run late do not add up", () => {
  const clock = new ManualClock(1_000_000);
  const { named, monoMs } = startBeat(clock);
  for (let i = 0; i < 100; i++) clock.runNext(30);
  assert.equal(named.length, 100);
  assert.equal(monoMs.at(-1), 100_031);
});

test("a timer that runs early waits for its second and names it once", () => {
  const clock = new ManualClock(1_000_000);
  const { named } = startBeat(clock);
  clock.runNext(-3);
  assert.deepEqual(named, []);
  clock.runNext();
  assert.deepEqual(named, [1000]);
});

test("seconds slept through stay absent and are counted", () => {
  const clock = new ManualClock(1_000_000);
  const { beat, named } = startBeat(clock);
  clock.runNext();
  clock.runNext(5_300);
  clock.runNext();
  assert.deepEqual(named, [1000, 1006, 1007]);
  assert.equal(beat.skippedSeconds, 5);
});

test("a second of which only a sliver is left is not measured", () => {
  const clock = new ManualClock(1_000_000);
  const { beat, named } = startBeat(clock);
  clock.runNext();
  clock.runNext(900);
  clock.runNext();
  clock.runNext();
  assert.deepEqual(named, [1000, 1001, 1003]);
  assert.equal(beat.skippedSeconds, 1);
});

test("a small step back of the clock is waited out", () => {
  const clock = new ManualClock(1_000_000);
  const { named } = startBeat(clock);
  clock.runNext();
  clock.runNext();
  clock.wallMs -= 2_000;
  for (let i = 0; i < 4; i++) clock.runNext();
  assert.deepEqual(named, [1000, 1001, 1002, 1003]);
});

test("a clock set back or forward by a day is followed, with one call a second", () => {
  const clock = new ManualClock(100_000_000);
  const { named, monoMs } = startBeat(clock);
  clock.runNext();
  clock.wallMs -= 86_400_000;
  for (let i = 0; i < 3; i++) clock.runNext();
  clock.wallMs += 86_400_000;
  for (let i = 0; i < 3; i++) clock.runNext();
  assert.deepEqual(named, [100_000, 13_601, 13_602, 13_603, 100_004, 100_005, 100_006]);
  assert.ok(monoMs.every((ms, i) => i === 0 || ms > (monoMs[i - 1] ?? 0)));
});

test("stop disarms, and start begins anew", () => {
  const clock = new ManualClock(1_000_000);
  const { beat, named } = startBeat(clock);
  beat.stop();
  assert.equal(clock.isArmed, false);
  clock.pass(10_000);
  beat.start();
  clock.runNext();
  assert.deepEqual(named, [1010]);
  assert.equal(beat.skippedSeconds, 0);
});

test("whatever the timers' delays, names ascend and calls are a quarter second apart", () => {
  fc.assert(
    fc.property(
      fc.nat(999),
      fc.array(fc.integer({ min: -2, max: 3_500 }), { maxLength: 60 }),
      (phaseMs, delays) => {
        const clock = new ManualClock(1_000_000 + phaseMs);
        const { named, monoMs } = startBeat(clock);
        for (const lateMs of delays) clock.runNext(Math.max(lateMs, -1));
        assert.ok(named.every((tsSec, i) => i === 0 || tsSec > (named[i - 1] ?? 0)));
        assert.ok(monoMs.every((ms, i) => i === 0 || ms - (monoMs[i - 1] ?? 0) >= 250));
      },
    ),
  );
});
