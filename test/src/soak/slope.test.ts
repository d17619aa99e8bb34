import assert from "node:assert/strict";
import { test } from "node:test";
import { blockMedians, slope } from "./slope.ts";

test("a straight line has its own slope, without error", () => {
  const line = [0, 1, 2, 5].map((t) => ({ t, value: 3 * t - 7 }));
  const { slope: found, error } = slope(line);
  assert.ok(Math.abs(found - 3) < 1e-12);
  assert.ok(error < 1e-12);
});

test("noise around a level has almost none", () => {
  const noise = Array.from({ length: 1_000 }, (_, t) => ({ t, value: 100 + (t % 2) }));
  assert.ok(Math.abs(slope(noise).slope) < 1e-5);
});

test("the error is that of the textbook", () => {
  // Residuals of 1, -1, -1, 1 around a slope of 2: sqrt(4 / 2 / 5).
  const points = [1, 1, 3, 7].map((value, t) => ({ t, value }));
  assert.deepEqual(slope(points), { slope: 2, error: Math.sqrt(4 / 2 / 5) });
});

test("one point, or none, has no slope, and two say nothing of the error", () => {
  assert.deepEqual(slope([]), { slope: 0, error: Number.POSITIVE_INFINITY });
  assert.equal(slope([{ t: 1, value: 2 }]).slope, 0);
  assert.deepEqual(
    slope([
      { t: 0, value: 0 },
      { t: 1, value: 2 },
    ]),
    { slope: 2, error: Number.POSITIVE_INFINITY },
  );
});

test("blocks are told by their medians", () => {
  const points = [5, 1, 3, 9, 7, 8].map((value, i) => ({ t: 10 + i, value }));
  assert.deepEqual(blockMedians(points, 3), [
    { t: 11.5, value: 3 },
    { t: 14.5, value: 8 },
  ]);
});
