import { bucketOf, type SparseHistogram, sparseHistogram } from "@apm-daemon/protocol";

/** Count, sum, maximum and histogram of durations in µs. */
export class DurationCounter {
  count = 0;
  errors = 0;
  sumUs = 0;
  maxUs = 0;
  readonly #buckets = new Map<number, number>();

  add(durationUs: number, isError: boolean): void {
    this.count++;
    if (isError) this.errors++;
    this.sumUs += durationUs;
    if (durationUs > this.maxUs) this.maxUs = durationUs;
    const bucket = bucketOf(durationUs);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
  }

  merge(other: DurationCounter): void {
    this.count += other.count;
    this.errors += other.errors;
    this.sumUs += other.sumUs;
    if (other.maxUs > this.maxUs) this.maxUs = other.maxUs;
    for (const [bucket, count] of other.#buckets)
      this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + count);
  }

  histogram(): SparseHistogram {
    return sparseHistogram(this.#buckets);
  }
}
