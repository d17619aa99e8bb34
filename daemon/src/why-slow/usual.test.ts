import assert from "node:assert/strict";
import { test } from "node:test";
import { MIN_USUAL_SECONDS, unusualExcess, usualOf } from "./usual.ts";

const FLOOR = 0.05;

test("median and deviation do not follow bursts, the high value does", () => {
  const values = Float64Array.from({ length: 100 }, (_, i) => (i < 15 ? 0.9 : 0.1 + (i % 3) * 0.01));
  const usual = usualOf(values);
  assert.ok(usual);
  assert.ok(Math.abs(usual.median - 0.11) < 1e-9);
  assert.ok(usual.spread < 0.02);
  assert.equal(usual.high, 0.9);
});

test("of too few seconds nothing is usual", () => {
  assert.equal(usualOf(new Float64Array(MIN_USUAL_SECONDS - 1)), null);
  assert.deepEqual(usualOf(new Float64Array(MIN_USUAL_SECONDS)), { median: 0, spread: 0, high: 0 });
});

test("a quiet host makes no noise significant: 3.5 floors are the least that is unusual", () => {
  const usual = { median: 0.1, spread: 0, high: 0.1 };
  assert.equal(unusualExcess({ value: 0.1 + 3.49 * FLOOR, usual }, FLOOR), 0);
  assert.ok(Math.abs(unusualExcess({ value: 0.1 + 3.51 * FLOOR, usual }, FLOOR) - 3.51 * FLOOR) < 1e-9);
});

test("a noisy host asks for 3.5 of its own spreads, and for more than nine of ten seconds had", () => {
  const usual = { median: 0.2, spread: 0.1, high: 0.7 };
  assert.equal(unusualExcess({ value: 0.54, usual }, FLOOR), 0);
  assert.equal(unusualExcess({ value: 0.6, usual }, FLOOR), 0);
  assert.ok(unusualExcess({ value: 0.71, usual }, FLOOR) > 0.5);
});

test("where nothing is known of before a value must be three times as high to speak for itself", () => {
  assert.equal(unusualExcess({ value: 10.4 * FLOOR, usual: null }, FLOOR), 0);
  assert.equal(unusualExcess({ value: 10.6 * FLOOR, usual: null }, FLOOR), 10.6 * FLOOR);
  assert.equal(unusualExcess(null, FLOOR), 0);
});
