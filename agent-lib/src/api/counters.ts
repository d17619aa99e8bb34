import { MAX_COUNTERS_PER_FRAME, MAX_NAME_CHARS } from "@apm-daemon/protocol";
import { textOf } from "../tracer/truncate.ts";

/** Counts what the app does, beside its requests: mails sent, cache misses, bytes imported. */
export interface Counter {
  /** Adds a number from 0 up, 1 by default; anything else adds nothing. */
  add(amount?: number): void;
}

class PendingCounter implements Counter {
  pending = 0;

  add(amount: number = 1): void {
    if (amount > 0 && Number.isFinite(amount)) this.pending += amount;
  }
}

const UNCOUNTED: Counter = { add: () => undefined };

/** The process's counters. What they count waits here until it is sent; it may begin before the agent does. */
export class Counters {
  readonly #counters = new Map<string, PendingCounter>();
  #onTooMany: (() => void) | null = null;

  /** The counter of a name, the same one each time. Names beyond MAX_COUNTERS_PER_FRAME are not counted. */
  counter(name: string): Counter {
    const cleaned = cleanName(name);
    const known = this.#counters.get(cleaned);
    if (known !== undefined) return known;
    if (this.#counters.size >= MAX_COUNTERS_PER_FRAME) {
      this.#onTooMany?.();
      return UNCOUNTED;
    }
    const counter = new PendingCounter();
    this.#counters.set(cleaned, counter);
    return counter;
  }

  /** Called whenever a name is one too many. */
  set onTooMany(tell: () => void) {
    this.#onTooMany = tell;
  }

  /** What was counted and not sent yet; null when nothing was. */
  get pending(): Record<string, number> | null {
    const counted = [...this.#counters].filter(([, { pending }]) => pending > 0);
    return counted.length === 0
      ? null
      : Object.fromEntries(counted.map(([name, { pending }]) => [name, pending]));
  }

  /** All that was pending is on its way. */
  clear(): void {
    for (const counter of this.#counters.values()) counter.pending = 0;
  }
}

function cleanName(name: string): string {
  // Cut first: half a pair of surrogates may be what a cut leaves.
  return (
    textOf(name)
      .slice(0, MAX_NAME_CHARS)
      .replace(/[\p{Cc}\p{Cs}]/gu, "") || "(unnamed)"
  );
}
