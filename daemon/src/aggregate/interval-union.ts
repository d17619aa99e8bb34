/** Disjoint intervals that are kept apart; beyond it the oldest half becomes one number. Only endless work gets there. */
const MAX_EDGES = 8_000;

/** Total length of overlapping intervals. Cheap when they are added in order of their ends, as spans are. */
export class IntervalUnion {
  /** Disjoint, ascending: start, end, start, end, … */
  readonly #edges: number[];
  #foldedLength = 0;

  constructor(edges: number[] = []) {
    this.#edges = edges;
  }

  copy(): IntervalUnion {
    const copy = new IntervalUnion([...this.#edges]);
    copy.#foldedLength = this.#foldedLength;
    return copy;
  }

  /** Intervals that are kept apart. */
  get intervals(): number {
    return this.#edges.length / 2;
  }

  add(start: number, end: number): void {
    if (!(end > start)) return;
    const edges = this.#edges;
    if (edges.length >= MAX_EDGES) this.#fold();
    // The pairs from `from` on end at or after the new start: they merge, unless they begin after its end.
    const from = this.#firstEndingFrom(start);
    let to = from;
    while (to < edges.length && (edges[to] as number) <= end) to += 2;
    if (to === from) {
      edges.splice(from, 0, start, end);
      return;
    }
    const mergedStart = Math.min(start, edges[from] as number);
    const mergedEnd = Math.max(end, edges[to - 1] as number);
    edges.splice(from, to - from, mergedStart, mergedEnd);
  }

  /** Length of the part between two bounds. */
  lengthWithin(start: number, end: number): number {
    let length = this.#foldedLength;
    for (let i = 0; i < this.#edges.length; i += 2) {
      const overlap = Math.min(end, this.#edges[i + 1] as number) - Math.max(start, this.#edges[i] as number);
      if (overlap > 0) length += overlap;
    }
    return length;
  }

  /** Index of the first pair that ends at or after a time: searched by halves, since foreign spans come in any order. */
  #firstEndingFrom(start: number): number {
    const edges = this.#edges;
    if (edges.length === 0 || (edges.at(-1) as number) < start) return edges.length;
    let low = 0;
    let high = edges.length / 2 - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((edges[2 * middle + 1] as number) >= start) high = middle;
      else low = middle + 1;
    }
    return 2 * low;
  }

  #fold(): void {
    const oldest = this.#edges.splice(0, MAX_EDGES / 2);
    for (let i = 0; i < oldest.length; i += 2)
      this.#foldedLength += (oldest[i + 1] as number) - (oldest[i] as number);
  }
}
