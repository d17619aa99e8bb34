import assert from "node:assert/strict";
import { test } from "node:test";
import { type ActionRow, bucketMiddleUs, bucketOf } from "@apm-daemon/protocol";
import { RecentWindows } from "./recent-requests.ts";

/** As a histogram has it. */
const ONE_MS = bucketMiddleUs(bucketOf(1_000)) / 1_000;

function row(tsSec: number, changes: Partial<ActionRow> = {}): ActionRow {
  return {
    tsSec,
    app: "shop",
    action: "GET /",
    kind: "web",
    status: 200,
    requests: 1,
    errors: 0,
    satisfied: 1,
    tolerating: 0,
    frustrated: 0,
    sumUs: 1_000,
    maxUs: 1_000,
    codeUs: 1_000,
    databaseUs: 0,
    cacheUs: 0,
    externalUs: 0,
    queueUs: 0,
    histogram: { buckets: [bucketOf(1_000)], counts: [1] },
    ...changes,
  };
}

test("the six newest complete windows count; the one that is running, older ones and other apps do not", () => {
  const recent = new RecentWindows();
  const rows = Array.from({ length: 12 }, (_, i) => row(1_000 + i * 10));
  recent.add([...rows, row(1_100, { app: "stock", requests: 50 })], 1_115);
  assert.deepEqual(recent.of("shop", 1_115), {
    requests: 6,
    errors: 0,
    throughputRpm: 6,
    apdex: 1,
    avgMs: 1,
    p95Ms: ONE_MS,
  });
  assert.equal(recent.of("shop", 1_120).requests, 6);
  assert.equal(recent.of("stock", 1_115).requests, 50);
});

test("rows of a window that come in parts add up", () => {
  const recent = new RecentWindows();
  recent.add([row(1_000)], 1_010);
  recent.add(
    [row(1_000, { requests: 3, errors: 2, satisfied: 0, frustrated: 2, tolerating: 1, sumUs: 7_000 })],
    1_012,
  );
  assert.deepEqual(recent.of("shop", 1_015), {
    requests: 4,
    errors: 2,
    throughputRpm: 4,
    apdex: 0.375,
    avgMs: 2,
    p95Ms: ONE_MS,
  });
});

test("the 95th percentile is that of the merged histograms, not a mean of each row's", () => {
  const recent = new RecentWindows();
  const histogram = (durationUs: number, count: number) => ({
    histogram: { buckets: [bucketOf(durationUs)], counts: [count] },
    requests: count,
    maxUs: 1e9,
  });
  recent.add([row(1_000, histogram(1_000, 94)), row(1_010, histogram(80_000, 6))], 1_025);
  assert.equal(recent.of("shop", 1_025).p95Ms, bucketMiddleUs(bucketOf(80_000)) / 1_000);
  recent.add([row(1_000, histogram(1_000, 100))], 1_025);
  assert.equal(recent.of("shop", 1_025).p95Ms, bucketMiddleUs(bucketOf(1_000)) / 1_000);
});

test("an app without requests has no score, and old rows are forgotten", () => {
  const recent = new RecentWindows();
  recent.add([row(1_000)], 1_010);
  recent.add([], 1_500);
  assert.deepEqual(recent.of("shop", 1_010), {
    requests: 0,
    errors: 0,
    throughputRpm: 0,
    apdex: null,
    avgMs: null,
    p95Ms: null,
  });
});
