import assert from "node:assert/strict";
import { test } from "node:test";
import { fittingPreset } from "./short-data.ts";

const TO = Date.UTC(2026, 10, 23, 8, 30);
const halfHour = { from: TO - 1_800_000, to: TO, t0: TO - 1_800_000, stepMs: 10_000 };

function arrivedFrom(first: number): boolean[] {
  return Array.from({ length: 180 }, (_, index) => index >= first);
}

test("an app that just started gets a range that shows its curve", () => {
  const startMs = TO - 40_000;
  assert.deepEqual(fittingPreset(halfHour, arrivedFrom(176)), { preset: "5m", startMs });
});

test("data over a fifth of the range or more stay as they are", () => {
  assert.equal(fittingPreset(halfHour, arrivedFrom(144)), null);
  assert.deepEqual(fittingPreset(halfHour, arrivedFrom(145))?.preset, "15m");
});

test("without data there is nothing to fit, and the shortest preset is never widened", () => {
  assert.equal(fittingPreset(halfHour, arrivedFrom(180)), null);
  const fiveMinutes = { from: TO - 300_000, to: TO, t0: TO - 300_000, stepMs: 10_000 };
  assert.equal(fittingPreset(fiveMinutes, [...Array.from({ length: 28 }, () => false), true, true]), null);
});
