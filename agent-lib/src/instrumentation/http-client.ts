/**
 * Spans of calls made with node:http and node:https (and what builds on them: axios, got, follow-redirects).
 *
 * A call starts where its headers are about to be written, the last moment to add traceparent: Node 20 publishes
 * "http.client.request.start" only after that, and Node's `http.request` can be imported by name, out of reach of
 * patches. It ends where Node closes the request: response read, error or abort.
 */
import * as http from "node:http";
import { SpanKind } from "@opentelemetry/api";
import { nowMs } from "../tracer/clock.ts";
import { describeException } from "../tracer/exception.ts";
import { isTracingSuppressed } from "../tracer/linked-context.ts";
import type { ApmSpan } from "../tracer/span.ts";
import { traceparentOf } from "../tracer/trace-context.ts";
import { parseHost, stripQuery } from "../url-parts.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";

const SPAN = Symbol("apm-daemon client span");
type Request = http.ClientRequest & { [SPAN]?: ApmSpan };

export function instrumentHttpClient(parts: InstrumentationParts): void {
  const tracer = parts.provider.tracer("http");
  const begin = (request: Request): void => {
    const context = tracer.activeContext();
    if (isTracingSuppressed(context)) return;
    const host = hostOf(request);
    const span = tracer.start(`${request.method} ${host.address}`, SpanKind.CLIENT, context, nowMs());
    request[SPAN] = span;
    span.put("http.request.method", request.method);
    span.put("server.address", host.address);
    span.put("server.port", host.port);
    span.put("url.full", `${request.protocol}//${host.text}${stripQuery(request.path)}`);
    if (request.getHeader("traceparent") === undefined) {
      request.setHeader("traceparent", traceparentOf(span));
      if (span.trace.traceState !== "") request.setHeader("tracestate", span.trace.traceState);
    }
    request.once("close", () => span.endAt(nowMs()));
  };
  parts.patches.wrap(http.ClientRequest.prototype, "_implicitHeader", (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const request = this as Request;
      if (request[SPAN] === undefined && !request.headersSent) {
        try {
          begin(request);
        } catch (error) {
          parts.log.internalError("http client", error);
        }
      }
      return original.apply(this, args);
    };
  });
  parts.patches.subscribe(
    "http.client.response.finish",
    ({ request, response }: { request: Request; response: http.IncomingMessage }) => {
      const status = response.statusCode ?? 0;
      request[SPAN]?.put("http.response.status_code", status);
      if (status >= 400) fail(request[SPAN], String(status));
    },
  );
  parts.patches.subscribe(
    "http.client.request.error",
    ({ request, error }: { request: Request; error: unknown }) => fail(request[SPAN], typeOf(error)),
  );
}

function fail(span: ApmSpan | undefined, type: string): void {
  if (span === undefined || !span.isRecording()) return;
  span.hasError = true;
  span.put("error.type", type);
}

function typeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : describeException(error).type;
}

interface CalledHost {
  readonly address: string;
  readonly port: number;
  /** As in a URL. */
  readonly text: string;
}

function hostOf(request: Request): CalledHost {
  const header = request.getHeader("host");
  const text = typeof header === "string" ? header : request.host;
  const { address, port } = parseHost(text);
  return { address, port: port === 0 ? (request.protocol === "https:" ? 443 : 80) : port, text };
}
