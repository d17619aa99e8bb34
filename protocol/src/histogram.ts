/**
 * Base-2 exponential histogram, scale 5, of durations in µs, as in the OpenTelemetry metrics data model
 * (https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram).
 *
 * Bucket i holds values in (2^(i/32), 2^((i+1)/32)] µs. A quantile read from it is the bucket's geometric
 * middle, so its relative error is at most 2^(1/64) - 1 = 1.09 %. Values up to 1 µs fall into bucket 0.
 */
export const HISTOGRAM_SCALE = 5;
const BUCKETS_PER_DOUBLING = 2 ** HISTOGRAM_SCALE;
/** Highest bucket: 2^(1215/32) µs = 3.2 days. Longer durations count there. */
export const MAX_BUCKET = 1_215;

/** Bucket indexes, ascending, and the count of each. */
export interface SparseHistogram {
  buckets: number[];
  counts: number[];
}

/** Bucket index of a duration in µs. */
export function bucketOf(durationUs: number): number {
  if (!(durationUs > 1)) return 0;
  const index = Math.ceil(Math.log2(durationUs) * BUCKETS_PER_DOUBLING) - 1;
  return index > MAX_BUCKET ? MAX_BUCKET : index;
}

/** Geometric middle of a bucket, in µs. */
export function bucketMiddleUs(bucket: number): number {
  return 2 ** ((bucket + 0.5) / BUCKETS_PER_DOUBLING);
}

/**
 * Value in µs below which the share `q` (0..1) of the recorded durations lies; null for an empty histogram.
 * Nearest-rank: the smallest bucket whose cumulated count reaches ceil(q * total).
 */
export function quantileUs(histogram: SparseHistogram, q: number): number | null {
  let total = 0;
  for (const count of histogram.counts) total += count;
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (let i = 0; i < histogram.counts.length; i++) {
    seen += histogram.counts[i] ?? 0;
    if (seen >= rank) return bucketMiddleUs(histogram.buckets[i] ?? 0);
  }
  return null;
}

/** Adds histograms bucket by bucket. */
export function mergeHistograms(parts: Iterable<SparseHistogram>): SparseHistogram {
  const sums = new Float64Array(MAX_BUCKET + 1);
  let [first, last] = [MAX_BUCKET, -1];
  for (const part of parts) {
    for (let i = 0; i < part.buckets.length; i++) {
      const bucket = part.buckets[i] ?? 0;
      sums[bucket] = (sums[bucket] ?? 0) + (part.counts[i] ?? 0);
      if (bucket < first) first = bucket;
      if (bucket > last) last = bucket;
    }
  }
  const merged: SparseHistogram = { buckets: [], counts: [] };
  for (let bucket = first; bucket <= last; bucket++) {
    const count = sums[bucket] ?? 0;
    if (count === 0) continue;
    merged.buckets.push(bucket);
    merged.counts.push(count);
  }
  return merged;
}

/** Sorted sparse form of bucket counts. */
export function sparseHistogram(counts: ReadonlyMap<number, number>): SparseHistogram {
  const buckets = [...counts.keys()].sort((a, b) => a - b);
  return { buckets, counts: buckets.map((bucket) => counts.get(bucket) ?? 0) };
}
