import assert from "node:assert/strict";
import { test } from "node:test";
import { clockOffset } from "./clock-offset.ts";

test("the middle of question and answer is when the other clock was read", () => {
  assert.equal(clockOffset(61_050, 1_000, 1_100), 60_000);
  assert.equal(clockOffset(1_050, 61_000, 61_100), -60_000);
});

test("an answer that came late is no wrong clock", () => {
  assert.equal(clockOffset(1_000, 1_000, 9_000), 0);
  assert.equal(clockOffset(9_000, 1_000, 9_000), 0);
  assert.equal(clockOffset(5_000, 1_000, 9_000), 0);
});
