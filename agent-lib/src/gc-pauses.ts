import type { PerformanceObserver } from "node:perf_hooks";

/**
 * A heap beyond this may stop the app for long when all of it is collected. The young part alone, and all of a smaller heap,
 * are collected in a few milliseconds.
 */
const LARGE_HEAP_BYTES = 64 * 1_048_576;
/** A loop that is that busy may be so because of the garbage collector. */
const BUSY_RATIO = 0.5;
/** Pauses of that much in a second are followed from one second to the next. */
const MANY_PAUSES_MS = 20;
/** What else has no reason to be watched is, every so many seconds. */
const LOOK_EACH_SECONDS = 10;

/**
 * How long the garbage collector stopped the app in a second, while that is worth watching.
 *
 * Node makes an object, two turns of the event loop and a call of each collection that is observed, and these objects outlive the next
 * collection: 0.2 ms for each collection, of a hello world with 2,000 requests a second 1 µs a request, of 20,000 spans a second 0.4 µs a
 * span (2 cores AMD EPYC VM, Node 20.20.2, 2026-11-26). That is as much as the pauses themselves where these are short, and they are
 * where the heap is small and the loop has time left: there one second of ten is watched. The others are unknown, not 0.
 */
export class GcPauses {
  readonly #observer: PerformanceObserver;
  #pauseMs = 0;
  #isWatching = false;
  #secondsUnwatched = 0;

  constructor() {
    const { PerformanceObserver } = process.getBuiltinModule("node:perf_hooks");
    this.#observer = new PerformanceObserver((list) => this.#add(list.getEntries()));
    this.#watch(true);
  }

  /** Ends a second: its pauses in ms, null when it was not watched; what it tells decides about the next one. */
  second(heapUsedBytes: number, loopUtilizationRatio: number): number | null {
    this.#add(this.#observer.takeRecords());
    const pauseMs = this.#isWatching ? this.#pauseMs : null;
    this.#pauseMs = 0;
    this.#secondsUnwatched = this.#isWatching ? 0 : this.#secondsUnwatched + 1;
    const isWorthWatching =
      heapUsedBytes >= LARGE_HEAP_BYTES ||
      loopUtilizationRatio >= BUSY_RATIO ||
      (pauseMs ?? 0) >= MANY_PAUSES_MS ||
      this.#secondsUnwatched >= LOOK_EACH_SECONDS - 1;
    this.#watch(isWorthWatching);
    return pauseMs;
  }

  stop(): void {
    this.#watch(false);
  }

  #watch(isWatching: boolean): void {
    if (isWatching === this.#isWatching) return;
    this.#isWatching = isWatching;
    if (isWatching) this.#observer.observe({ entryTypes: ["gc"] });
    else this.#observer.disconnect();
  }

  #add(entries: readonly { readonly duration: number }[]): void {
    for (const { duration } of entries) this.#pauseMs += duration;
  }
}
