import assert from "node:assert/strict";
import { test } from "node:test";
import { slope } from "./slope.ts";

test("a straight line has its own slope", () => {
  const line = [0, 1, 2, 5].map((t) => ({ t, value: 3 * t - 7 }));
  assert.ok(Math.abs(slope(line) - 3) < 1e-12);
});

test("noise around a level has almost none", () => {
  const noise = Array.from({ length: 1_000 }, (_, t) => ({ t, value: 100 + (t % 2) }));
  assert.ok(Math.abs(slope(noise)) < 1e-5);
});

test("one point, or none, has no slope", () => {
  assert.equal(slope([]), 0);
  assert.equal(slope([{ t: 1, value: 2 }]), 0);
});
