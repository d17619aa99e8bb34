import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { chooseZone, daysBefore, hostZone } from "../ui/zone.ts";
import { alignedTo } from "./aligned-column.ts";

const HOUR = 3_600_000;

function columns(t0: number, stepMs: number, values: (number | null)[]) {
  return { from: t0, to: t0 + stepMs * values.length, t0, stepMs, cols: { a: values } };
}

afterEach(() => {
  chooseZone("browser");
  hostZone.value = null;
});

test("buckets stand over those of the time that they are compared with", () => {
  const now = columns(100_000, 10_000, [1, 2, 3]);
  const before = columns(70_000, 10_000, [10, 20, null, 40]);
  assert.deepEqual(
    alignedTo(now, before, "a", (ms) => ms - 30_000),
    [10, 20, null],
  );
  assert.deepEqual(
    alignedTo(now, before, "a", (ms) => ms - 40_000),
    [null, 10, 20],
  );
  assert.deepEqual(
    alignedTo(now, before, "b", (ms) => ms),
    [null, null, null],
  );
  assert.deepEqual(
    alignedTo(now, null, "a", (ms) => ms),
    [null, null, null],
  );
});

test("coarser steps repeat themselves over finer buckets", () => {
  const now = columns(100_000, 10_000, [1, 2, 3, 4]);
  const before = columns(60_000, 20_000, [10, 20]);
  assert.deepEqual(
    alignedTo(now, before, "a", (ms) => ms - 40_000),
    [10, 10, 20, 20],
  );
});

test("when summer time ends within the range, each hour is compared with the same hour of the clock", () => {
  hostZone.value = "Europe/Berlin";
  chooseZone("host");
  // 2026-10-25: 03:00 summer time becomes 02:00. From 00:00 to 06:00 local there are seven hours.
  const start = Date.UTC(2026, 9, 24, 22);
  const now = columns(start, HOUR, [0, 1, 2, 2, 3, 4, 5]);
  // The day before: 00:00 to 06:00, six hours, each with its number.
  const before = columns(start - 24 * HOUR, HOUR, [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(
    alignedTo(now, before, "a", (ms) => daysBefore(ms, 1)),
    now.cols.a,
  );
});
