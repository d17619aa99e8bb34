import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "./backoff.ts";

test("the ceiling doubles up to its limit, and a success brings it back", () => {
  const backoff = new Backoff(500, 3_000, () => 1);
  const waits = Array.from({ length: 5 }, () => backoff.next());
  assert.deepEqual(waits, [500, 1_000, 2_000, 3_000, 3_000]);
  backoff.reset();
  assert.equal(backoff.next(), 500);
});

test("waits are spread over the whole range below the ceiling", () => {
  assert.equal(new Backoff(500, 3_000, () => 0).next(), 0);
  assert.equal(new Backoff(500, 3_000, () => 0.25).next(), 125);
});
