/** Time after which an axis may shrink. */
const HOLD_MS = 10_000;

/** The upper end of an axis whose data move: it grows at once, and shrinks when so much room was not needed for 10 s. */
export class HeldTop {
  #top = 0;
  /** The highest end that was needed since `#sinceMs`, when the present one was last needed. */
  #neededSince = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;

  /** The end to show for data that need `needed`, at a monotonic time. */
  next(needed: number, nowMs: number): number {
    if (needed >= this.#top) {
      this.#top = needed;
      this.#neededSince = 0;
      this.#sinceMs = nowMs;
      return this.#top;
    }
    this.#neededSince = Math.max(this.#neededSince, needed);
    if (nowMs - this.#sinceMs >= HOLD_MS) {
      this.#top = this.#neededSince;
      this.#neededSince = 0;
      this.#sinceMs = nowMs;
    }
    return this.#top;
  }
}
