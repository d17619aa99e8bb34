import assert from "node:assert/strict";
import { test } from "node:test";
import { apdexScore, apdexZone } from "./apdex.ts";

test("a request satisfies up to T, is tolerated up to 4T, frustrates beyond", () => {
  const zones = [0, 499_999, 500_000, 500_001, 2_000_000, 2_000_001].map((us) =>
    apdexZone(us, false, 500_000),
  );
  assert.deepEqual(zones, ["satisfied", "satisfied", "satisfied", "tolerating", "tolerating", "frustrated"]);
});

test("an error frustrates however fast it was", () => {
  assert.equal(apdexZone(1, true, 500_000), "frustrated");
});

test("the score counts a tolerated request half", () => {
  // The example of the specification: 60 satisfied, 30 tolerating, 10 frustrated of 100.
  assert.equal(apdexScore(60, 30, 10), 0.75);
  assert.equal(apdexScore(5, 0, 0), 1);
  assert.equal(apdexScore(0, 0, 5), 0);
});

test("without requests there is no score", () => {
  assert.equal(apdexScore(0, 0, 0), null);
});
