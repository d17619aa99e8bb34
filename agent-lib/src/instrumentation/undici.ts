/** Spans of calls made with fetch (Node's own) and undici, by undici's diagnostics channels. */
import { SpanKind } from "@opentelemetry/api";
import { nowMs } from "../tracer/clock.ts";
import { describeException } from "../tracer/exception.ts";
import { isTracingSuppressed } from "../tracer/linked-context.ts";
import type { ApmSpan } from "../tracer/span.ts";
import { traceparentOf } from "../tracer/trace-context.ts";
import { parseHost, stripUrl } from "../url-parts.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";

const SPAN = Symbol("apm-daemon client span");

interface UndiciRequest {
  readonly origin: string | URL;
  readonly path: string;
  readonly method: string;
  addHeader?(name: string, value: string): unknown;
  [SPAN]?: ApmSpan;
}

export function instrumentUndici({ provider, patches, log }: InstrumentationParts): void {
  const tracer = provider.tracer("undici");
  const guarded =
    <T>(handle: (message: T) => void): ((message: T) => void) =>
    (message) => {
      try {
        handle(message);
      } catch (error) {
        log.internalError("undici", error);
      }
    };
  const begin = (request: UndiciRequest): void => {
    const context = tracer.activeContext();
    if (isTracingSuppressed(context)) return;
    const origin = String(request.origin);
    const { address, port } = parseHost(
      origin
        .replace(/^[a-z]+:\/\//, "")
        .replace(/^[^/]*@/, "")
        .replace(/\/.*$/, ""),
    );
    const span = tracer.start(`${request.method} ${address}`, SpanKind.CLIENT, context, nowMs());
    request[SPAN] = span;
    span.put("http.request.method", request.method);
    span.put("server.address", address);
    span.put("server.port", port === 0 ? (origin.startsWith("https:") ? 443 : 80) : port);
    span.put("url.full", stripUrl(`${origin}${request.path}`));
    request.addHeader?.("traceparent", traceparentOf(span));
    if (span.trace.traceState !== "") request.addHeader?.("tracestate", span.trace.traceState);
  };
  const answer = ({
    request,
    response,
  }: {
    request: UndiciRequest;
    response: { statusCode: number };
  }): void => {
    const span = request[SPAN];
    span?.put("http.response.status_code", response.statusCode);
    if (response.statusCode >= 400) fail(span, String(response.statusCode));
  };
  patches.subscribe(
    "undici:request:create",
    guarded(({ request }: { request: UndiciRequest }) => begin(request)),
  );
  patches.subscribe("undici:request:headers", guarded(answer));
  patches.subscribe(
    "undici:request:trailers",
    guarded(({ request }: { request: UndiciRequest }) => request[SPAN]?.endAt(nowMs())),
  );
  patches.subscribe(
    "undici:request:error",
    guarded(({ request, error }: { request: UndiciRequest; error: unknown }) => {
      fail(request[SPAN], describeException(error).type);
      request[SPAN]?.endAt(nowMs());
    }),
  );
}

function fail(span: ApmSpan | undefined, type: string): void {
  if (span === undefined || !span.isRecording()) return;
  span.hasError = true;
  span.put("error.type", type);
}
