import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { IntervalUnion } from "./interval-union.ts";

const interval = fc
  .tuple(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 30 }))
  .map(([start, length]): [number, number] => [start, start + length]);

/** Counts the unit pieces that some interval covers. */
function coveredWithin(intervals: readonly [number, number][], from: number, to: number): number {
  let length = 0;
  for (let piece = from; piece < to; piece++)
    if (intervals.some(([start, end]) => start <= piece && piece + 1 <= end)) length++;
  return length;
}

test("the union's length is what is covered, whatever the order of the intervals and the bounds", () => {
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 25 }), interval, (intervals, [from, to]) => {
      const union = new IntervalUnion();
      for (const [start, end] of intervals) union.add(start, end);
      assert.equal(union.lengthWithin(from, to), coveredWithin(intervals, from, to));
      assert.equal(union.lengthWithin(-10, 200), coveredWithin(intervals, -10, 200));
    }),
    { numRuns: 3_000 },
  );
});

test("intervals that end before they start, and those that are no numbers, cover nothing", () => {
  const union = new IntervalUnion();
  union.add(5, 5);
  union.add(9, 2);
  union.add(Number.NaN, 4);
  union.add(1, Number.NaN);
  assert.equal(union.lengthWithin(-1_000, 1_000), 0);
});

test("endless disjoint intervals stay countable", () => {
  const union = new IntervalUnion();
  for (let i = 0; i < 50_000; i++) union.add(i * 2, i * 2 + 1);
  assert.equal(union.lengthWithin(0, 200_000), 50_000);
});

test("intervals from the last to the first, and in no order, come to the same", () => {
  const [backwards, scattered] = [new IntervalUnion(), new IntervalUnion()];
  const count = 3_000;
  for (let i = count; i > 0; i--) backwards.add(i * 2, i * 2 + 1);
  // 7 and 3,000 have no common factor: each i is met once.
  for (let i = 0; i < count; i++) scattered.add(((i * 7) % count) * 2, ((i * 7) % count) * 2 + 1);
  for (const union of [backwards, scattered]) {
    assert.equal(union.lengthWithin(-1, 4 * count), count);
    assert.equal(union.intervals, count);
    union.add(-1, 2 * count + 2);
    assert.equal(union.intervals, 1);
  }
});
