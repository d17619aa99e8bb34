import assert from "node:assert/strict";
import { test } from "node:test";
import { shownAge, shownBytes, shownCount, shownMs, shownRatio } from "./quantities.ts";

test("three digits and a unit", () => {
  assert.deepEqual([0, 999, 1_000, 1_536, 12_582_912, 2 ** 50].map(shownBytes), [
    "0 B",
    "999 B",
    "0.98 KiB",
    "1.5 KiB",
    "12 MiB",
    "1024 TiB",
  ]);
  assert.deepEqual([0.1234, 1, 0.00123, null].map(shownRatio), ["12.3 %", "100 %", "0.12 %", "–"]);
  assert.deepEqual([1_234_567.4, null].map(shownCount), ["1,234,567", "–"]);
  assert.deepEqual([0.123, 999, 1_500, null].map(shownMs), ["0.12 ms", "999 ms", "1.5 s", "–"]);
});

test("ages in their two largest units, never negative", () => {
  const ages = [-5, 59_000, 60_000, 3_599_000, 11_520_000, 90_000_000].map(shownAge);
  assert.deepEqual(ages, ["0 s", "59 s", "1 min 0 s", "59 min 59 s", "3 h 12 min", "1 d 1 h"]);
});
