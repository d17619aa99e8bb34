import type { Store } from "../store/store.ts";
import { NotFound } from "./not-found.ts";
import { type SpanAnswer, spansOfPart } from "./trace-spans.ts";
import { type TraceAnswer, traceAnswer } from "./traces.ts";

export interface WholeTraceAnswer {
  traceId: string;
  startUnixMs: number;
  durationMs: number;
  roots: TraceAnswer[];
  /** Parents before children, by start. */
  spans: SpanAnswer[];
}

/** All that any host kept of a trace. */
export async function trace(store: Store, traceId: string): Promise<WholeTraceAnswer> {
  const parts = await store.traces.parts(traceId);
  if (parts.length === 0) throw new NotFound(`no host kept the trace ${traceId}`);
  const spans = new Map<string, SpanAnswer>();
  for (const span of parts.flatMap(spansOfPart)) spans.set(span.spanId, span);
  const roots = parts.map(traceAnswer);
  const startUnixMs = Math.min(...roots.map((root) => root.startUnixMs));
  // Differences first: a Unix time in ms leaves a double no digits for µs.
  const durationMs = Math.max(...roots.map((root) => root.startUnixMs - startUnixMs + root.durationMs));
  return {
    traceId,
    startUnixMs,
    durationMs,
    roots,
    spans: parentsFirst([...spans.values()]),
  };
}

/**
 * By start, but never a child before its parent: clocks of two hosts differ. Spans whose parent is not here come in as
 * if they had none; of spans that are each other's ancestors, all are kept.
 */
function parentsFirst(spans: SpanAnswer[]): SpanAnswer[] {
  const known = new Set(spans.map((span) => span.spanId));
  const children = new Map<string | null, SpanAnswer[]>();
  for (const span of spans.sort((a, b) => a.startUnixMs - b.startUnixMs)) {
    const parent = span.parentSpanId !== null && known.has(span.parentSpanId) ? span.parentSpanId : null;
    const siblings = children.get(parent);
    if (siblings) siblings.push(span);
    else children.set(parent, [span]);
  }
  const ordered = new Set<SpanAnswer>();
  const follow = (top: SpanAnswer[]): void => {
    const stack = top.toReversed();
    for (let span = stack.pop(); span; span = stack.pop()) {
      if (ordered.has(span)) continue;
      ordered.add(span);
      stack.push(...(children.get(span.spanId) ?? []).toReversed());
    }
  };
  follow(children.get(null) ?? []);
  follow(spans);
  return [...ordered];
}
