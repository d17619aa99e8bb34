// The beat of the sampling: one call for each wall-clock second, shortly after that second is complete.
//
// Invariants: a timer is armed for the next whole wall second each time, so delays never add up; a second is named at
// most once while the clock runs forward; a late timer names only the second that is complete now, those before it stay
// absent; a second of which less than MIN_MEASURED_MS could be measured is left out, its work shows in the next one.
// A clock set back by more than HOLD_SEC is believed (labels may then repeat): silence for an hour would be worse.

/** Time as the beat needs it; tests pass their own. */
export interface BeatClock {
  unixMs(): number;
  monoMs(): number;
  /** Runs `run` once after `delayMs` of monotonic time; the answer cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

const systemBeatClock: BeatClock = {
  unixMs: () => Date.now(),
  monoMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface BeatOptions {
  /** `tsSec` is the Unix second just completed; `monoMs` the monotonic time of the call, for rates. Must not throw. */
  onSecond: (tsSec: number, monoMs: number) => void;
  clock?: BeatClock;
}

/** Shorter pieces give absurd rates: 1/100 s CPU ticks over 10 ms are all or nothing. */
const MIN_MEASURED_MS = 250;
/** Small steps back (NTP, leap smear) are waited out so that no second is named twice. */
const HOLD_SEC = 5;

/** Calls `onSecond` once per wall-clock second until stopped. */
export class Beat {
  /** Seconds of the wall clock that got no call since start: the process was busy, stopped, or the host suspended. */
  skippedSeconds = 0;
  readonly #onSecond: BeatOptions["onSecond"];
  readonly #clock: BeatClock;
  #lastSec = Number.NaN;
  #lastMonoMs = Number.NaN;
  #cancel: (() => void) | null = null;

  constructor(options: BeatOptions) {
    this.#onSecond = options.onSecond;
    this.#clock = options.clock ?? systemBeatClock;
  }

  start(): void {
    if (this.#cancel !== null) return;
    this.#lastSec = completedSecond(this.#clock.unixMs());
    this.#lastMonoMs = Number.NaN;
    this.#arm();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #arm(): void {
    // The millisecond after the boundary: timers round down and would fire inside the old second.
    const delayMs = 1000 - (this.#clock.unixMs() % 1000) + 1;
    this.#cancel = this.#clock.after(delayMs, () => this.#fire());
  }

  #fire(): void {
    this.#arm();
    const tsSec = completedSecond(this.#clock.unixMs());
    const monoMs = this.#clock.monoMs();
    const steps = tsSec - this.#lastSec;
    if (steps <= 0 && steps >= -HOLD_SEC) return;
    if (monoMs - this.#lastMonoMs < MIN_MEASURED_MS) return;
    if (steps > 1) this.skippedSeconds += steps - 1;
    this.#lastSec = tsSec;
    this.#lastMonoMs = monoMs;
    this.#onSecond(tsSec, monoMs);
  }
}

function completedSecond(unixMs: number): number {
  return Math.floor(unixMs / 1000) - 1;
}
