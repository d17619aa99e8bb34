import { SpanKind } from "@opentelemetry/api";
import { nowMs } from "../tracer/clock.ts";
import { describeException } from "../tracer/exception.ts";
import { isTracingSuppressed } from "../tracer/linked-context.ts";
import type { ApmSpan } from "../tracer/span.ts";
import { traceparentOf } from "../tracer/trace-context.ts";
import type { ApmTracer } from "../tracer/tracer.ts";
import { parseHost, stripUrl } from "../url-parts.ts";

export interface OutgoingCall {
  readonly method: string;
  readonly isTls: boolean;
  /** "host" or "host:port", as in a URL. */
  readonly host: string;
  /** With its query, which is not recorded. */
  readonly path: string;
}

/** The client span of a call over HTTP; null when tracing is suppressed. */
export function startOutgoingCall(tracer: ApmTracer, call: OutgoingCall): ApmSpan | null {
  const span = openOutgoingCall(tracer, call.method);
  if (span !== null) describeOutgoingCall(span, call);
  return span;
}

/** For calls of which it is known later where they go. */
export function openOutgoingCall(tracer: ApmTracer, name: string): ApmSpan | null {
  const context = tracer.activeContext();
  return isTracingSuppressed(context) ? null : tracer.start(name, SpanKind.CLIENT, context, nowMs());
}

export function describeOutgoingCall(span: ApmSpan, call: OutgoingCall): void {
  const { address, port } = parseHost(call.host);
  span.name = `${call.method} ${address}`;
  span.put("http.request.method", call.method);
  span.put("server.address", address);
  span.put("server.port", port === 0 ? (call.isTls ? 443 : 80) : port);
  span.put("url.full", stripUrl(`${call.isTls ? "https" : "http"}://${call.host}${call.path}`));
}

/** Hands the trace on to the called host. */
export function injectTrace(span: ApmSpan, setHeader: (name: string, value: string) => void): void {
  setHeader("traceparent", traceparentOf(span));
  if (span.trace.traceState !== "") setHeader("tracestate", span.trace.traceState);
}

export function noteAnswer(span: ApmSpan | undefined, status: number): void {
  if (span === undefined) return;
  span.put("http.response.status_code", status);
  if (status >= 400) fail(span, String(status));
}

export function noteFailure(span: ApmSpan | undefined, error: unknown): void {
  if (span === undefined) return;
  const code = (error as { code?: unknown } | null | undefined)?.code;
  fail(span, typeof code === "string" ? code : describeException(error).type);
}

function fail(span: ApmSpan, type: string): void {
  if (!span.isRecording()) return;
  span.hasError = true;
  span.put("error.type", type);
}
