import type { BatchIdentity } from "@apm-daemon/protocol";

/** Batch numbers `first` to `last` of a stream, both included. */
export interface BatchRange {
  stream: string;
  first: number;
  last: number;
}

/**
 * Which batches are committed: ranges per stream, ascending, neither touching nor overlapping.
 *
 * Batches may arrive out of order (a backlog drains newest first), so a highest number alone would not do.
 */
export class BatchIndex {
  readonly #streams: Map<string, { first: number; last: number }[]> = new Map();

  constructor(ranges: Iterable<BatchRange> = []) {
    for (const { stream, first, last } of ranges) this.#insert(stream, first, last);
  }

  has({ stream, number }: BatchIdentity): boolean {
    const ranges = this.#streams.get(stream) ?? [];
    const range = ranges[this.#firstEndingAtOrAfter(ranges, number)];
    return range !== undefined && range.first <= number;
  }

  add({ stream, number }: BatchIdentity): void {
    this.#insert(stream, number, number);
  }

  /** Highest committed number of a stream, 0 for none. */
  last(stream: string): number {
    return this.#streams.get(stream)?.at(-1)?.last ?? 0;
  }

  #insert(stream: string, first: number, last: number): void {
    const ranges = this.#streams.get(stream) ?? [];
    const start = this.#firstEndingAtOrAfter(ranges, first - 1);
    let end = start;
    let merged = { first, last };
    for (let next = ranges[end]; next && next.first <= last + 1; next = ranges[++end])
      merged = { first: Math.min(merged.first, next.first), last: Math.max(merged.last, next.last) };
    ranges.splice(start, end - start, merged);
    this.#streams.set(stream, ranges);
  }

  #firstEndingAtOrAfter(ranges: readonly { last: number }[], number: number): number {
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranges[middle]?.last ?? Number.POSITIVE_INFINITY) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
