import assert from "node:assert/strict";
import { test } from "node:test";
import { closedValues, lonePoints, mean, missingRuns, stackedEdges } from "./stack.ts";

test("edges add up from the bottom", () => {
  assert.deepEqual(
    stackedEdges([
      [1, 2],
      [10, 20],
      [100, 0],
    ]),
    [
      [1, 2],
      [11, 22],
      [111, 22],
    ],
  );
});

test("a bucket without any value is a gap, not a zero", () => {
  assert.deepEqual(
    stackedEdges([
      [1, null, 3],
      [1, null, null],
    ]),
    [
      [1, null, 3],
      [2, null, 3],
    ],
  );
  assert.deepEqual(stackedEdges([]), []);
});

test("values between gaps are found", () => {
  assert.deepEqual(lonePoints([1, null, 2, null, 3, 4]), [0, 2]);
  assert.deepEqual(lonePoints([null, null]), []);
  assert.deepEqual(lonePoints([7]), [0]);
});

test("missing runs start after the first arrival and forgive the newest buckets", () => {
  const arrived = [false, true, false, false, true, false, false];
  assert.deepEqual(missingRuns(arrived, 2), [[2, 3]]);
  assert.deepEqual(missingRuns(arrived, 1), [
    [2, 3],
    [5, 6],
  ]);
  assert.deepEqual(missingRuns([false, false], 0), []);
  assert.deepEqual(missingRuns([true, true], 0), []);
});

test("the mean leaves out what is unknown", () => {
  assert.equal(mean([1, null, 3]), 2);
  assert.equal(mean([null]), null);
});

test("buckets that end after the given time are blanked, the one that ends there is final", () => {
  assert.deepEqual(closedValues([1, 2, 3], 0, 10, 20), [1, 2, null]);
  assert.deepEqual(closedValues([1, 2, 3], 0, 10, 19), [1, null, null]);
});
