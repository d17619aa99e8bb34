import type { Store, StoredTrace } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

/** One process's part of a trace, without its spans. */
export interface TraceAnswer {
  traceId: string;
  rootSpanId: string;
  app: string;
  host: string;
  action: string;
  kind: string;
  startUnixMs: number;
  durationMs: number;
  status: number;
  error: boolean;
  spans: number;
  reason: string;
}

export interface TracesAnswer {
  app: string;
  from: number;
  to: number;
  traces: TraceAnswer[];
}

export interface TracesOptions {
  action: string | undefined;
  error: boolean | undefined;
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

export function traceAnswer(trace: StoredTrace): TraceAnswer {
  const { traceId, rootSpanId, app, host, action, kind, startUnixMs, status, error, spans, reason } = trace;
  return {
    traceId,
    rootSpanId,
    app,
    host,
    action,
    kind,
    startUnixMs,
    durationMs: trace.durationUs / 1000,
    status,
    error,
    spans,
    reason,
  };
}
