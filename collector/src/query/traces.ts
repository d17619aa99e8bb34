import { type TraceAnswer, traceAnswer } from "@apm-daemon/protocol";
import type { Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { answeredRange, keptFrom, type QueryRange } from "./time-range.ts";

export interface TracesAnswer {
  app: string;
  from: number;
  to: number;
  /** Null: all kept traces of the range are there; else before that slow and failed ones alone, and a tenth of the others. */
  wholeFrom: number | null;
  /** Null: the whole range; else nothing is known of before. */
  keptFrom: number | null;
  traces: TraceAnswer[];
}

export interface TracesOptions {
  action: string | undefined;
  error: boolean | undefined;
  hasRepeat: boolean | undefined;
  sort: "slowest" | "recent";
  limit: number;
}

/** Kept traces that started in the range. */
export async function traces(
  store: Store,
  app: string,
  range: QueryRange,
  options: TracesOptions,
): Promise<TracesAnswer> {
  await requireApp(store, app);
  const stored = await store.traces.list({ range, app, ...options });
  return {
    app,
    ...answeredRange(range),
    wholeFrom: keptFrom(range, store.keptFromSec("traces")),
    keptFrom: keptFrom(range, store.keptFromSec("sampledTraces")),
    traces: stored.map(traceAnswer),
  };
}
