/** Batches are sealed this long after a window's end, so that the last spans of the window are in. */
const AFTER_WINDOW_MS = 1_000;
/** A new app, and the host itself, show up in the console without waiting for the beat. */
const EARLY_MS = 1_000;

/** Calls `seal` after each interval of the wall clock, and early when asked. */
export class SealBeat {
  readonly #intervalMs: number;
  readonly #seal: () => void;
  readonly #clock: { unixMs(): number };
  #timer: NodeJS.Timeout | null = null;
  #early: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(intervalMs: number, clock: { unixMs(): number }, seal: () => void) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
    this.#seal = seal;
  }

  start(): void {
    const offsetMs = Math.min(AFTER_WINDOW_MS, this.#intervalMs / 10);
    const sinceBeatMs = (this.#clock.unixMs() - offsetMs) % this.#intervalMs;
    this.#timer = setTimeout(() => {
      this.start();
      this.#seal();
    }, this.#intervalMs - sinceBeatMs);
  }

  /** Seals once in a second, whatever the beat. */
  sealSoon(): void {
    if (this.#isStopped) return;
    this.#early ??= setTimeout(() => {
      this.#early = null;
      this.#seal();
    }, EARLY_MS);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#early !== null) clearTimeout(this.#early);
  }
}
