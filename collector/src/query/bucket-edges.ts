import { HISTOGRAM_SCALE, MAX_BUCKET } from "@apm-daemon/protocol";

const BUCKETS_PER_DOUBLING = 2 ** HISTOGRAM_SCALE;

/** Lower edge of a histogram bucket, in ms; 0 below the first one, which holds all that is shorter. */
export function bucketEdgeMs(bucket: number): number {
  return bucket <= 0 ? 0 : 2 ** (bucket / BUCKETS_PER_DOUBLING) / 1000;
}

/** The bucket with the lower edge nearest to a duration: what was read off an axis, rounded, means an edge again. */
export function nearestEdge(ms: number): number {
  if (!(ms > 0.001)) return 0;
  return Math.min(Math.round(Math.log2(ms * 1000) * BUCKETS_PER_DOUBLING), MAX_BUCKET + 1);
}
