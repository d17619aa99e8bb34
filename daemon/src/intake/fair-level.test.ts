import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { fairLevel } from "./fair-level.ts";

const ALL = Number.POSITIVE_INFINITY;

test("who wants little gets it, the others the same each", () => {
  assert.equal(fairLevel(100, []), ALL);
  assert.equal(fairLevel(100, [30, 70]), ALL);
  assert.equal(fairLevel(100, [ALL]), 100);
  assert.equal(fairLevel(100, [ALL, 10]), 90);
  assert.equal(fairLevel(100, [ALL, 10, ALL]), 45);
  assert.equal(fairLevel(100, [60, 60]), 50);
});

test("what is granted never exceeds the capacity, and uses it up when it is wanted", () => {
  const demand = fc.oneof(fc.nat(1_000), fc.constant(ALL));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.array(demand, { maxLength: 50 }),
      (capacity, demands) => {
        const level = fairLevel(capacity, demands);
        const granted = demands.reduce((sum, wanted) => sum + Math.min(wanted, level), 0);
        assert.ok(granted <= capacity * 1.000_001);
        if (level !== ALL) assert.ok(granted >= capacity * 0.999_999);
      },
    ),
  );
});
