import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "./backoff.ts";

test("delays double up to the longest, and begin anew after a long run", () => {
  const backoff = new Backoff({ firstMs: 500, maxMs: 10_000, resetAfterMs: 30_000 });
  const delays = Array.from({ length: 7 }, () => backoff.delayAfter(29_999));
  assert.deepEqual(delays, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  assert.equal(backoff.delayAfter(30_000), 500);
  assert.equal(backoff.delayAfter(0), 1_000);
});
