import {
  type AppEventCall,
  decodeRuntime,
  decodeSpans,
  decodeSpansHeader,
  MAX_NAME_CHARS,
  type RuntimeFrame,
  type SpanView,
} from "@apm-daemon/protocol";
import { SpanPlan } from "../aggregate/span-plan.ts";
import type { StatementTexts } from "../traces/span-statements.ts";

/** Where frames are read back by their positions; throws for those that are gone. */
export interface FrameArchive {
  readFrame(position: number): Buffer;
  endReading(): void;
}

/** Statements are cut to this: it is the newest calls that count, not all of their text. */
const MAX_STATEMENT_CHARS = 1_024;

/** The last outgoing calls in SPANS frames, newest first, at most `limit`; frames are read from the newest on until they are found. */
export function readLastCalls(
  archive: FrameArchive,
  newestFirst: readonly number[],
  limit: number,
  statementTexts: StatementTexts,
): AppEventCall[] {
  const calls: AppEventCall[] = [];
  for (const position of newestFirst) {
    if (calls.length >= limit) break;
    calls.push(...callsOf(archive, position));
  }
  const last = calls.sort((a, b) => b.endUnixMs - a.endUnixMs).slice(0, limit);
  return statementTexts === "shown" ? last : last.map((call) => ({ ...call, statement: "" }));
}

/** RUNTIME frames that can still be read, newest first. */
export function readRuntimeFrames(archive: FrameArchive, newestFirst: readonly number[]): RuntimeFrame[] {
  return newestFirst.flatMap((position) => {
    try {
      return [decodeRuntime(archive.readFrame(position))];
    } catch {
      return []; // Gone from the ring, or never a good frame.
    }
  });
}

function callsOf(archive: FrameArchive, position: number): AppEventCall[] {
  const calls: AppEventCall[] = [];
  const plans: SpanPlan[] = [];
  try {
    const payload = archive.readFrame(position);
    const { baseUnixUs } = decodeSpansHeader(payload);
    decodeSpans(payload, (span) => {
      const call = callOf(span, (plans[span.shape.index] ??= new SpanPlan(span.shape)), baseUnixUs);
      if (call !== null) calls.push(call);
    });
  } catch {
    // Gone from the ring, or malformed from some byte on: what was read before is good.
  }
  return calls;
}

function callOf(span: SpanView, plan: SpanPlan, baseUnixUs: number): AppEventCall | null {
  const category = plan.role;
  if (category !== "database" && category !== "cache" && category !== "external") return null;
  return {
    endUnixMs: Math.max(0, (baseUnixUs + span.endOffsetNs / 1_000) / 1_000),
    durationUs: span.durationNs / 1_000,
    category,
    system: plan.system,
    name: plan.operation(span.name).slice(0, MAX_NAME_CHARS),
    target: plan.target,
    statement: plan.statement.slice(0, MAX_STATEMENT_CHARS),
    error: span.hasError,
    traceId: span.trace.traceId,
  };
}
