import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BatchRuns } from "./batch-runs.ts";

test("holds the numbers that were added, as runs that neither touch nor overlap", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 })), (numbers) => {
      const runs = new BatchRuns();
      for (const number of numbers) runs.add(number);
      const held = runs
        .runs()
        .flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
      assert.deepEqual(
        held,
        [...new Set(numbers)].sort((a, b) => a - b),
      );
      runs.runs().reduce((before, { first, last }) => {
        assert.ok(first > before + 1);
        return last;
      }, -1);
      assert.deepEqual(new BatchRuns(runs.runs()).runs(), runs.runs());
    }),
  );
});

test("keeps the newest 64 runs", () => {
  const runs = new BatchRuns();
  for (let n = 1; n <= 65; n++) runs.add(2 * n);
  assert.equal(runs.runs().length, 64);
  assert.deepEqual([runs.has(2), runs.has(4), runs.has(130)], [false, true, true]);
  assert.deepEqual([runs.knows(2), runs.knows(5)], [true, false]);
  assert.equal(new BatchRuns([{ first: 5, last: 6 }]).knows(2), false);
});
