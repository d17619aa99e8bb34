import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  bucketMiddleUs,
  bucketOf,
  HISTOGRAM_SCALE,
  MAX_BUCKET,
  mergeHistograms,
  quantileUs,
  type SparseHistogram,
  sparseHistogram,
} from "./histogram.ts";

/** Half a bucket's width, as a ratio, and some room for the last digits. */
const MAX_RELATIVE_ERROR = 2 ** (1 / 64) - 1 + 1e-9;

/** ceil(32 * log2(n)) - 1 without rounding: the bits of n^32 - 1. */
function exactBucketOf(durationUs: number): number {
  if (durationUs <= 1) return 0;
  return (BigInt(durationUs) ** 32n - 1n).toString(2).length - 1;
}

/** Largest whole number of µs in a bucket, without rounding. */
function upperEdgeUs(bucket: number): number {
  let [inside, outside] = [0n, 2n ** BigInt(Math.ceil((bucket + 1) / 32) + 1)];
  while (outside - inside > 1n) {
    const middle = (inside + outside) / 2n;
    if (middle ** 32n <= 2n ** BigInt(bucket + 1)) inside = middle;
    else outside = middle;
  }
  return Number(inside);
}

function histogramOf(durationsUs: readonly number[]): SparseHistogram {
  const counts = new Map<number, number>();
  for (const us of durationsUs) counts.set(bucketOf(us), (counts.get(bucketOf(us)) ?? 0) + 1);
  return sparseHistogram(counts);
}

test("the scale is 5: 32 buckets for each doubling", () => {
  assert.equal(HISTOGRAM_SCALE, 5);
  for (let power = 1; power <= 37; power++) {
    assert.equal(bucketOf(2 ** power), 32 * power - 1);
    assert.equal(bucketOf(2 ** power * (1 + 1e-9)), 32 * power);
  }
});

test("every bucket ends where the exact formula says, on both sides of its edge", () => {
  for (let bucket = 32; bucket < MAX_BUCKET; bucket++) {
    const edge = upperEdgeUs(bucket);
    assert.equal(bucketOf(edge), exactBucketOf(edge), `last of bucket ${bucket}`);
    assert.equal(bucketOf(edge + 1), exactBucketOf(edge + 1), `first after bucket ${bucket}`);
  }
});

test("whole microseconds up to three days fall into the bucket of the exact formula", () => {
  for (let us = 0; us < 5_000; us++) assert.equal(bucketOf(us), exactBucketOf(us), `${us}`);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 259_200_000_000 }), (us) => {
      assert.equal(bucketOf(us), exactBucketOf(us));
    }),
    { numRuns: 2_000 },
  );
});

test("durations below 1 µs, and what is no duration, fall into the first bucket, endless ones into the last", () => {
  for (const us of [1, 0.5, 0, -1, Number.NaN, Number.NEGATIVE_INFINITY]) assert.equal(bucketOf(us), 0);
  assert.equal(bucketOf(1 + 1e-9), 0);
  for (const us of [2 ** 38, 1e300, Number.POSITIVE_INFINITY]) assert.equal(bucketOf(us), MAX_BUCKET);
  assert.equal(bucketOf(2 ** 38 * 0.99), MAX_BUCKET);
  assert.equal(bucketOf(2 ** 38 * 0.97), MAX_BUCKET - 1);
});

test("a bucket's middle is within 1.1 % of every duration in it", () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 2 ** 38, noNaN: true }), (us) => {
      const middle = bucketMiddleUs(bucketOf(us));
      assert.ok(Math.abs(middle - us) / us <= MAX_RELATIVE_ERROR, `${us} reads as ${middle}`);
    }),
    { numRuns: 5_000 },
  );
});

test("quantiles are within 1.1 % of those of the sorted durations", () => {
  const durations = fc.array(fc.double({ min: 1, max: 1e10, noNaN: true }), { minLength: 1, maxLength: 400 });
  // As per mille, so that the exact rank can be computed in whole numbers.
  fc.assert(
    fc.property(durations, fc.constantFrom(0, 1, 500, 750, 900, 950, 990, 999, 1_000), (values, perMille) => {
      const sorted = [...values].sort((a, b) => a - b);
      const rank = Math.max(1, Math.floor((values.length * perMille + 999) / 1_000));
      const exact = sorted[rank - 1] ?? Number.NaN;
      const read = quantileUs(histogramOf(values), perMille / 1_000) ?? Number.NaN;
      assert.ok(Math.abs(read - exact) / exact <= MAX_RELATIVE_ERROR, `${exact} reads as ${read}`);
    }),
    { numRuns: 1_000 },
  );
});

test("an empty histogram has no quantiles", () => {
  assert.equal(quantileUs({ buckets: [], counts: [] }, 0.5), null);
  assert.equal(quantileUs({ buckets: [5], counts: [0] }, 0.5), null);
});

test("merged parts are the histogram of all durations, sorted by bucket", () => {
  const durations = fc.array(fc.integer({ min: 0, max: 10_000_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(fc.array(durations, { maxLength: 6 }), (parts) => {
      const merged = mergeHistograms(parts.map(histogramOf));
      assert.deepEqual(merged, histogramOf(parts.flat()));
      assert.deepEqual(
        merged.buckets,
        [...new Set(parts.flat().map(bucketOf))].sort((a, b) => a - b),
      );
    }),
  );
});
