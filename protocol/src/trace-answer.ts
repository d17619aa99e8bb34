import type { RepeatedCall } from "./batch-header.ts";
import { type SpanAnswer, spansOfPart, type TracePart } from "./span-answer.ts";
import type { Verdict } from "./verdict.ts";

/** As RepeatedCall. */
export interface RepeatAnswer {
  parentSpanId: string;
  system: string;
  operation: string;
  statement: string;
  calls: number;
  totalTimeMs: number;
}

/** One process's part of a trace, without its spans. */
export interface TraceAnswer {
  traceId: string;
  rootSpanId: string;
  app: string;
  host: string;
  /** The process that ran it, as in its host's processes. */
  instance: string;
  action: string;
  kind: string;
  startUnixMs: number;
  durationMs: number;
  status: number;
  error: boolean;
  spans: number;
  reason: string;
  /** What was called often below one span, most calls first; only there when there is some. */
  repeats?: RepeatAnswer[];
  /** Why it was slow; only there for requests that were slow or failed. */
  verdict?: Verdict;
}

export interface WholeTraceAnswer {
  traceId: string;
  startUnixMs: number;
  durationMs: number;
  roots: TraceAnswer[];
  /** Parents before children, by start. */
  spans: SpanAnswer[];
}

/** What became of the question to one host. */
export interface AskedHost {
  host: string;
  /**
   * found: it has spans of the trace. nothing: it has none, and its journal reaches back far enough, or the trace's time is
   * unknown. past_ring: it has none, but its journal begins after the trace did. offline: not connected. silent: connected,
   * no answer in time. busy: too many questions wait there already.
   */
  state: "found" | "nothing" | "past_ring" | "offline" | "silent" | "busy";
  spans: number;
  /** How far back its journal reaches; null when unknown or empty. */
  oldestUnixMs: number | null;
  /** When the host was last heard of; null when unknown. */
  lastSeenUnixMs: number | null;
  /** Why it may have more than it answered, "" when it has not: one of FoundGap, "malformed" or "connection_lost". */
  gap: string;
}

export interface FetchedTraceAnswer extends WholeTraceAnswer {
  hosts: AskedHost[];
  /** Whether the collector has it now, so that it can be opened again; absent where nothing is stored. */
  stored?: boolean;
}

/** A trace put together from its parts. */
export function wholeTraceAnswer(
  traceId: string,
  parts: readonly [TracePart, ...TracePart[]],
): WholeTraceAnswer {
  const spans = new Map<string, SpanAnswer>();
  for (const span of parts.flatMap(spansOfPart)) spans.set(span.spanId, span);
  const roots = parts.map(traceAnswer);
  const startUnixMs = Math.min(...roots.map((root) => root.startUnixMs));
  // Differences first: a Unix time in ms leaves a double no digits for µs.
  const durationMs = Math.max(...roots.map((root) => root.startUnixMs - startUnixMs + root.durationMs));
  return { traceId, startUnixMs, durationMs, roots, spans: parentsFirst([...spans.values()]) };
}

export function traceAnswer(part: Omit<TracePart, "frame">): TraceAnswer {
  const {
    traceId,
    rootSpanId,
    app,
    host,
    instance,
    action,
    kind,
    startUnixMs,
    status,
    error,
    spans,
    reason,
  } = part;
  const { repeats, verdict } = part;
  const durationMs = part.durationUs / 1000;
  return {
    traceId,
    rootSpanId,
    app,
    host,
    instance,
    action,
    kind,
    startUnixMs,
    durationMs,
    status,
    error,
    spans,
    reason,
    ...(repeats && { repeats: repeats.map(repeatAnswer) }),
    ...(verdict && { verdict }),
  };
}

function repeatAnswer({ totalUs, ...repeat }: RepeatedCall): RepeatAnswer {
  return { ...repeat, totalTimeMs: totalUs / 1_000 };
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
