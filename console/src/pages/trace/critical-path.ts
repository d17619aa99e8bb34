import type { TraceSpan } from "../../data/answers.ts";

/** Clocks of two processes, and rounding, may let a child seem to end this much after the next one begins. */
const TOLERANCE_MS = 0.002;

/**
 * The spans that a trace's length comes from: of each span on the path, from its end backwards, the child that ended last
 * before the one chosen before it began. What ran beside these could be faster without sparing anything.
 */
export function criticalPath(spans: readonly TraceSpan[]): Set<string> {
  const children = new Map<string, TraceSpan[]>();
  const known = new Set(spans.map((span) => span.spanId));
  let top: TraceSpan | null = null;
  for (const span of spans) {
    if (span.parentSpanId !== null && known.has(span.parentSpanId) && span.parentSpanId !== span.spanId) {
      const siblings = children.get(span.parentSpanId);
      if (siblings) siblings.push(span);
      else children.set(span.parentSpanId, [span]);
    } else if (top === null || span.durationMs > top.durationMs) top = span;
  }
  const path = new Set<string>();
  const pending = top === null ? [] : [top];
  for (let span = pending.pop(); span; span = pending.pop()) {
    if (path.has(span.spanId)) continue;
    path.add(span.spanId);
    for (const child of lastBefore(span, children.get(span.spanId) ?? [])) pending.push(child);
  }
  return path;
}

function lastBefore(parent: TraceSpan, children: readonly TraceSpan[]): TraceSpan[] {
  const parentEndMs = endOf(parent);
  // What outlives its parent kept it until the parent's end only.
  const countedEnd = (span: TraceSpan): number => Math.min(endOf(span), parentEndMs);
  const sorted = [...children].sort((a, b) => countedEnd(b) - countedEnd(a) || b.durationMs - a.durationMs);
  const chosen: TraceSpan[] = [];
  let beforeMs = parentEndMs;
  for (const child of sorted) {
    if (child.startUnixMs >= beforeMs || countedEnd(child) > beforeMs + TOLERANCE_MS) continue;
    chosen.push(child);
    beforeMs = child.startUnixMs;
  }
  return chosen;
}

function endOf(span: TraceSpan): number {
  return span.startUnixMs + span.durationMs;
}
