export interface BackoffOptions {
  firstMs: number;
  maxMs: number;
  /** A run of at least this long was a success: the next delay is `firstMs` again. */
  resetAfterMs: number;
}

/** How long to wait before a part that ended is started again: doubles with each short run. */
export class Backoff {
  readonly #options: BackoffOptions;
  #nextMs: number;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#nextMs = options.firstMs;
  }

  /** The delay after a run of `ranMs`. */
  delayAfter(ranMs: number): number {
    if (ranMs >= this.#options.resetAfterMs) this.#nextMs = this.#options.firstMs;
    const delayMs = this.#nextMs;
    this.#nextMs = Math.min(delayMs * 2, this.#options.maxMs);
    return delayMs;
  }
}
