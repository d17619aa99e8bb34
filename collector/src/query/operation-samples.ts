import { type OperationCategory, spansOfPart } from "@apm-daemon/protocol";
import type { Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { type CallOfSpan, callOfSpan } from "./call-of-span.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

/** Actions whose traces are looked through, and how many of these: a bound for time and memory. */
const MAX_ACTIONS = 10;
const MAX_PARTS = 60;

export interface OperationSample extends CallOfSpan {
  traceId: string;
  spanId: string;
  action: string;
  host: string;
  startUnixMs: number;
  durationMs: number;
  error: boolean;
  /** Such calls of this app in the trace; this is the slowest one. */
  calls: number;
}

export interface OperationSamplesAnswer {
  app: string;
  from: number;
  to: number;
  /** Traces that were looked through. */
  traces: number;
  samples: OperationSample[];
}

export interface OperationSamplesOptions {
  action?: string | undefined;
  category: OperationCategory;
  system?: string | undefined;
  target?: string | undefined;
  operation?: string | undefined;
  statement?: string | undefined;
  limit: number;
}

/** The slowest such call of each of the slowest kept traces of the actions that make them. */
export async function operationSamples(
  store: Store,
  app: string,
  range: QueryRange,
  { limit, ...wanted }: OperationSamplesOptions,
): Promise<OperationSamplesAnswer> {
  await requireApp(store, app);
  const callers = await store.operations.callers({ range, app, ...wanted });
  const actions = [...new Set(callers.map(({ action }) => action))].slice(0, MAX_ACTIONS);
  const parts = await store.traces.slowestParts({ range, app, actions }, MAX_PARTS);
  const samples = parts.flatMap((part): OperationSample[] => {
    const { traceId, action } = part;
    const calls = spansOfPart(part).flatMap((span) => {
      const call = callOfSpan(span);
      return call !== null && isWanted(call, wanted) ? [{ call, span }] : [];
    });
    const [slowest] = calls.sort((a, b) => b.span.durationMs - a.span.durationMs);
    if (slowest === undefined) return [];
    const { spanId, host, startUnixMs, durationMs, error } = slowest.span;
    const sample = { traceId, spanId, action, host, startUnixMs, durationMs, error };
    return [{ ...slowest.call, ...sample, calls: calls.length }];
  });
  return {
    app,
    ...answeredRange(range),
    traces: parts.length,
    samples: samples.sort((a, b) => b.durationMs - a.durationMs).slice(0, limit),
  };
}

function isWanted(call: CallOfSpan, wanted: Omit<OperationSamplesOptions, "limit">): boolean {
  return (["category", "system", "target", "operation", "statement"] as const).every(
    (name) => wanted[name] === undefined || wanted[name] === call[name],
  );
}
