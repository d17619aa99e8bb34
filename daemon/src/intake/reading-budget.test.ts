import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadingBudget, type Valve } from "./reading-budget.ts";

const CHUNK = 65_536;
const RATE = 1_000_000;

class Tap implements Valve {
  isOpen = true;
  read = 0;
  close(): void {
    this.isOpen = false;
  }
  open(): void {
    this.isOpen = true;
  }
}

function budget(rate: number, taps: readonly Tap[], onDebt: () => void = () => undefined): ReadingBudget {
  const made = new ReadingBudget(rate, 0, onDebt);
  for (const tap of taps) made.add(tap);
  return made;
}

test("what comes slower than the rate is never held up", () => {
  const tap = new Tap();
  const made = budget(RATE, [tap]);
  for (let ms = 0; ms < 60_000; ms += 50) made.spend(tap, RATE / 20, ms);
  assert.deepEqual([tap.isOpen, made.isThrottled, made.throttledMs], [true, false, 0]);
});

test("the last byte of the burst passes, the next one closes until it is paid", () => {
  const tap = new Tap();
  let debts = 0;
  const made = budget(RATE, [tap], () => debts++);
  made.spend(tap, RATE / 4, 0);
  assert.equal(tap.isOpen, true);
  made.spend(tap, 1_000, 0);
  assert.deepEqual([tap.isOpen, debts], [false, 1]);
  made.refill(0.9);
  assert.equal(tap.isOpen, false);
  made.refill(1.1);
  assert.deepEqual([tap.isOpen, made.isThrottled], [true, false]);
});

test("over time, however many connections flood, they are read at the rate, and each as much as the others", () => {
  for (const connections of [1, 3, 50]) {
    const taps = Array.from({ length: connections }, () => new Tap());
    const made = budget(RATE, taps);
    for (let ms = 0; ms < 60_000; ms += 50) {
      // Each that is open has a chunk ready, again and again.
      for (let isAnyOpen = true; isAnyOpen; ) {
        isAnyOpen = false;
        for (const tap of taps) {
          if (!tap.isOpen) continue;
          isAnyOpen = true;
          tap.read += CHUNK;
          made.spend(tap, CHUNK, ms);
        }
      }
      made.refill(ms + 50);
    }
    const total = taps.reduce((sum, { read }) => sum + read, 0);
    assert.ok(Math.abs(total - 60 * RATE) < 2 * RATE, `${connections}: ${total} bytes`);
    for (const { read } of taps) {
      const off = Math.abs(read - total / connections);
      assert.ok(off <= 4 * CHUNK, `${connections}: ${read} of ${total}`);
    }
  }
});

test("a debt beyond the burst closes all at once; those that waited come first", () => {
  const taps = Array.from({ length: 10 }, () => new Tap());
  const made = budget(RATE, taps);
  made.spend(taps[0] as Tap, RATE, 0);
  assert.deepEqual(
    taps.map(({ isOpen }) => isOpen),
    taps.map(() => false),
  );
  made.refill(760);
  const [first, ...others] = taps;
  assert.deepEqual([first?.isOpen, others.filter(({ isOpen }) => isOpen).length], [false, 4]);
});

test("more than a second's debt is remitted", () => {
  const tap = new Tap();
  const made = budget(RATE, [tap]);
  made.spend(tap, 100 * RATE, 0);
  made.refill(1_001);
  assert.equal(tap.isOpen, true);
  assert.equal(made.throttledMs, 1_001);
});

test("a connection that ended while it waited is not opened", () => {
  const tap = new Tap();
  const made = budget(RATE, [tap]);
  made.spend(tap, RATE, 0);
  made.remove(tap);
  made.refill(5_000);
  assert.equal(tap.isOpen, false);
});
