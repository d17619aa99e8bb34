/**
 * From which second on files have rows that others, made of them, do not have yet. As a rule these are the rows of the last minute or
 * hour; what comes late may be of any time.
 */
export class UntakenBounds {
  /** As of when it was looked up last. */
  #first: ReadonlyMap<string, number> = new Map();
  /** The least that was added since then, and, while it is looked up anew, since that began: by source. */
  #added: Map<string, number> = new Map();
  #addedMeanwhile: Map<string, number> | null = null;

  /** Call it when rows of this second or later have come to the source. */
  noteAdded(source: string, tsSec: number): void {
    for (const added of [this.#added, this.#addedMeanwhile])
      if (added !== null && tsSec < (added.get(source) ?? Number.POSITIVE_INFINITY)) added.set(source, tsSec);
  }

  /**
   * Takes over what `find` answers: the first second of each, infinity where there is no row; null leaves all as it is. One at a
   * time; rejects as `find` does.
   */
  async learn(find: () => Promise<ReadonlyMap<string, number> | null>): Promise<void> {
    if (this.#addedMeanwhile !== null) return;
    const meanwhile = new Map<string, number>();
    this.#addedMeanwhile = meanwhile;
    try {
      const first = await find();
      if (first === null) return;
      this.#first = first;
      this.#added = meanwhile;
    } finally {
      this.#addedMeanwhile = null;
    }
  }

  /** 0 where nothing is known. */
  firstSec(what: string, source: string): number {
    return Math.min(this.#first.get(what) ?? 0, this.#added.get(source) ?? Number.POSITIVE_INFINITY);
  }
}
