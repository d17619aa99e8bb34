import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { minutesUpToNow, queryRange, stepRange, stepsOf } from "./time-range.ts";

const NOW_MS = 1_795_420_805_500;

test("a range is rounded outwards to full windows; by default it is the last 30 minutes", () => {
  assert.deepEqual(queryRange(1_000_009_999, 1_000_010_001, NOW_MS), {
    fromSec: 1_000_000,
    toSec: 1_000_020,
    nowMs: NOW_MS,
  });
  assert.deepEqual(queryRange(1_000_010_000, 1_000_020_000, NOW_MS), {
    fromSec: 1_000_010,
    toSec: 1_000_020,
    nowMs: NOW_MS,
  });
  assert.deepEqual(queryRange(undefined, undefined, NOW_MS), {
    fromSec: 1_795_419_000,
    toSec: 1_795_420_810,
    nowMs: NOW_MS,
  });
});

test("throughput divides by the minutes that have passed, not by those to come", () => {
  assert.equal(minutesUpToNow({ fromSec: 0, toSec: 120, nowMs: 60_000 }), 1);
  assert.equal(minutesUpToNow({ fromSec: 0, toSec: 120, nowMs: 600_000 }), 2);
  assert.equal(minutesUpToNow({ fromSec: 60, toSec: 120, nowMs: 0 }), 0);
});

test("30 minutes are shown in windows of 10 s, and a host's 5 minutes in seconds", () => {
  assert.deepEqual(stepsOf({ fromSec: 3_600, toSec: 5_400 }, 10), {
    firstSec: 3_600,
    stepSec: 10,
    count: 180,
  });
  assert.deepEqual(stepsOf({ fromSec: 3_600, toSec: 3_900 }, 1), { firstSec: 3_600, stepSec: 1, count: 300 });
  assert.deepEqual(stepsOf({ fromSec: 3_600, toSec: 3_910 }, 1), { firstSec: 3_600, stepSec: 2, count: 155 });
  assert.equal(stepsOf({ fromSec: 3_600, toSec: 5_400 }, 10, 45).stepSec, 50);
});

test("any range is covered by at most 300 steps without a gap, aligned so that a moving range keeps them", () => {
  const second = fc.integer({ min: 0, max: 429_496_729 }).map((n) => n * 10);
  fc.assert(
    fc.property(second, second, fc.constantFrom(1, 10), fc.constantFrom(60, 300), (a, b, unit, maxPoints) => {
      const range = { fromSec: Math.min(a, b), toSec: Math.max(a, b) + 10, nowMs: 0 };
      const steps = stepsOf(range, unit, 0, maxPoints);
      assert.ok(steps.count >= 1 && steps.count <= maxPoints, JSON.stringify(steps));
      assert.equal(steps.stepSec % unit, 0);
      assert.equal(steps.firstSec % steps.stepSec, 0);
      const first = stepRange(range, steps, 0);
      const last = stepRange(range, steps, steps.count - 1);
      assert.equal(first.fromSec, range.fromSec);
      assert.equal(last.toSec, range.toSec);
      assert.ok(first.fromSec < first.toSec && last.fromSec < last.toSec);
    }),
  );
});
