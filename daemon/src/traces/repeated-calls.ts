import { MAX_REPEATS_PER_TRACE, type RepeatedCall, type SpanView } from "@apm-daemon/protocol";
import type { Operation } from "../aggregate/operation.ts";
import { MAX_CALLS_ALIKE } from "../aggregate/repeat-key.ts";

/** Different calls counted of one trace; an endless one has ever new ones. */
const MAX_COUNTED = 5_000;

/** Counts the calls of one process's part of a trace that are alike: the same statement, or command of a cache, below one span. */
export class RepeatedCalls {
  readonly #counted = new Map<string, RepeatedCall>();

  add(span: SpanView, operation: Operation): void {
    const { repeatKey } = operation;
    // What calls outside of any request have above them is not of this part.
    if (repeatKey === "" || span.isLocalRoot) return;
    const key = `${span.parentHi} ${span.parentLo} ${repeatKey}`;
    let repeat = this.#counted.get(key);
    if (repeat === undefined) {
      if (this.#counted.size >= MAX_COUNTED) return;
      repeat = repeatOf(span, operation);
      this.#counted.set(key, repeat);
    }
    repeat.calls++;
    repeat.totalUs += span.durationNs / 1_000;
  }

  /** Those that were called too often, most calls first. */
  list(): RepeatedCall[] {
    return [...this.#counted.values()]
      .filter(({ calls }) => calls > MAX_CALLS_ALIKE)
      .sort((a, b) => b.calls - a.calls || b.totalUs - a.totalUs)
      .slice(0, MAX_REPEATS_PER_TRACE);
  }
}

function repeatOf(
  { parentHi, parentLo }: SpanView,
  { system, operation, fingerprint }: Operation,
): RepeatedCall {
  return {
    parentSpanId: hex(parentHi) + hex(parentLo),
    system,
    operation,
    statement: fingerprint,
    calls: 0,
    totalUs: 0,
  };
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}

/** The field is only there when it says something. */
export function withRepeats<Summary extends object>(
  summary: Summary,
  repeats: RepeatedCall[],
): Summary & { repeats?: RepeatedCall[] } {
  return repeats.length === 0 ? summary : { ...summary, repeats };
}
