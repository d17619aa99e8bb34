import { type SpanAnswer, spansOfPart } from "@apm-daemon/protocol";
import type { StoredTracePart } from "../store/store.ts";
import { callOfSpan } from "./call-of-span.ts";

/** An app's calls to one target. */
export interface CallTarget {
  app: string;
  system: string;
  target: string;
}

/**
 * Which app answers at a target that an app calls, as parts of traces show it: a request there whose parent is the call here.
 * A target behind which several apps were seen is none of them; so is one that was sent messages, since a broker lies between.
 */
export class CalledApps {
  readonly #seen = new Map<string, Set<string>>();

  constructor(parts: readonly StoredTracePart[]) {
    const spans = new Map<string, { part: StoredTracePart; span: SpanAnswer }>();
    for (const part of parts) for (const span of spansOfPart(part)) spans.set(span.spanId, { part, span });
    for (const part of parts) {
      const entry = spans.get(part.rootSpanId)?.span;
      const caller = spans.get(entry?.parentSpanId ?? "");
      if (!caller || caller.part.rootSpanId === part.rootSpanId) continue;
      const call = callOfSpan(caller.span);
      if (call?.category !== "external" || caller.span.kind !== "client") continue;
      this.#add({ app: caller.part.app, ...call }, part.app);
    }
  }

  /** Null when it is not known, or not one. */
  at(target: CallTarget): string | null {
    const [first, ...others] = this.#seen.get(keyOf(target)) ?? [];
    return first === undefined || others.length > 0 ? null : first;
  }

  #add(target: CallTarget, called: string): void {
    const key = keyOf(target);
    const known = this.#seen.get(key);
    if (known) known.add(called);
    else this.#seen.set(key, new Set([called]));
  }
}

function keyOf({ app, system, target }: CallTarget): string {
  return JSON.stringify([app, system, target]);
}
