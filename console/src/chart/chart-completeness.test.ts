import assert from "node:assert/strict";
import { test } from "node:test";
import { completenessOf, partialRuns } from "./chart-completeness.ts";

const span = { from: 0, to: 30_000, t0: 0, stepMs: 10_000 };

test("runs are of what is there in part: neither what is whole, nor what is gone, nor what is unknown", () => {
  assert.deepEqual(partialRuns([1, 0.9, 0.5, 1, 0.99, null, 0, 0.2]), [
    [1, 2],
    [4, 4],
    [7, 7],
  ]);
  assert.deepEqual(partialRuns([]), []);
});

test("an app's answer says it in a column, a host's beside its columns", () => {
  const completeness = { created: 10, stored: 9, dropped: { corrupt: 1 }, inFlight: 0, ratio: 0.9 };
  assert.deepEqual(
    completenessOf({ ...span, app: "shop", completeness, cols: { completenessRatio: [1, 0.9] } }),
    { ratios: [1, 0.9], ratio: 0.9, ledger: "app:shop" },
  );
  assert.deepEqual(
    completenessOf({ ...span, host: "web-1", completeness, completenessRatios: [0.5], cols: {} }),
    { ratios: [0.5], ratio: 0.9, ledger: "host:web-1" },
  );
});

test("who says nothing is not called complete", () => {
  assert.deepEqual(completenessOf({ ...span, cols: {} }), { ratios: [], ratio: null, ledger: null });
});
