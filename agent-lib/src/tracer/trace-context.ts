/** W3C Trace Context (https://www.w3.org/TR/trace-context/): traceparent and tracestate, in and out. */
import {
  type Context,
  createTraceState,
  isSpanContextValid,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { isTracingSuppressed, SPAN_KEY } from "./linked-context.ts";
import { hexOf } from "./random-ids.ts";
import { ApmSpan } from "./span.ts";

const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** Longest tracestate that is handed on; the standard asks for at least 512. */
const MAX_TRACESTATE_CHARS = 2_048;

/** The remote span that headers name; null where they name none or are malformed. */
export function parseTraceparent(traceparent: string, tracestate: string): SpanContext | null {
  const match = TRACEPARENT.exec(traceparent.trim());
  if (match === null) return null;
  const [, version, traceId = "", spanId = "", flags = "00", rest] = match;
  if (version === "00" && rest !== undefined) return null;
  const context: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  };
  const isKept = tracestate !== "" && tracestate.length <= MAX_TRACESTATE_CHARS;
  return isKept ? { ...context, traceState: createTraceState(tracestate) } : context;
}

/** The header that names this span as the parent. */
export function traceparentOf(span: ApmSpan): string {
  return `00-${span.trace.traceId}-${hexOf(span.idHi)}${hexOf(span.idLo)}-01`;
}

export class TraceContextPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpan(context);
    if (span === undefined || isTracingSuppressed(context)) return;
    if (span instanceof ApmSpan) {
      setter.set(carrier, "traceparent", traceparentOf(span));
      if (span.trace.traceState !== "") setter.set(carrier, "tracestate", span.trace.traceState);
      return;
    }
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    if (!isSpanContextValid({ traceId, spanId, traceFlags })) return;
    const flags = (traceFlags & 255).toString(16).padStart(2, "0");
    setter.set(carrier, "traceparent", `00-${traceId}-${spanId}-${flags}`);
    if (traceState !== undefined) setter.set(carrier, "tracestate", traceState.serialize());
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const traceparent = textOf(getter.get(carrier, "traceparent"));
    if (traceparent === "") return context;
    const remote = parseTraceparent(traceparent, textOf(getter.get(carrier, "tracestate")));
    return remote === null ? context : context.setValue(SPAN_KEY, trace.wrapSpanContext(remote));
  }

  fields(): string[] {
    return ["traceparent", "tracestate"];
  }
}

function textOf(value: undefined | string | string[]): string {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  // Several tracestate headers combine into one; several traceparent headers are one too many.
  return value.join(",");
}
