import assert from "node:assert/strict";
import { test } from "node:test";
import { arrivedIn, column, mapColumn, sumColumns } from "./columns.ts";

const columns = {
  from: 0,
  to: 30_000,
  t0: 0,
  stepMs: 10_000,
  cols: { a: [1, null, null], b: [null, 0, null] },
};

test("a missing column is unknown everywhere", () => {
  assert.deepEqual(column(columns, "nothing"), [null, null, null]);
});

test("a bucket has arrived when any column knows it, zero included", () => {
  assert.deepEqual(arrivedIn(columns, ["a", "b"]), [true, true, false]);
  assert.deepEqual(arrivedIn(columns, ["a"]), [true, false, false]);
});

test("arithmetic keeps the unknown unknown", () => {
  assert.deepEqual(sumColumns([columns.cols.a, columns.cols.b]), [1, 0, null]);
  assert.deepEqual(
    mapColumn(columns.cols.a, (value) => value * 6),
    [6, null, null],
  );
});
