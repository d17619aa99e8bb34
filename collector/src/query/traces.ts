import { type TraceAnswer, traceAnswer } from "@apm-daemon/protocol";
import type { Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

export interface TracesAnswer {
  app: string;
  from: number;
  to: number;
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
  return { app, ...answeredRange(range), traces: stored.map(traceAnswer) };
}
