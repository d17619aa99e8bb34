/**
 * Waiting times with full jitter: uniform between 0 and a ceiling that doubles with each failure
 * (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #ceilingMs: number;

  constructor(firstMs: number, maxMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
    this.#ceilingMs = firstMs;
  }

  /** Milliseconds to wait before the next try; the ceiling is at least `spreadMs`, whatever went before. */
  next(spreadMs = 0): number {
    const waitMs = this.#random() * Math.max(this.#ceilingMs, spreadMs);
    this.#ceilingMs = Math.min(this.#ceilingMs * 2, this.#maxMs);
    return waitMs;
  }

  reset(): void {
    this.#ceilingMs = this.#firstMs;
  }
}
