/**
 * Spans of calls made with node:http and node:https (and what builds on them: axios, got, follow-redirects).
 *
 * A call starts where its headers are about to be written, the last moment to add traceparent: Node 20 publishes
 * "http.client.request.start" only after that, and Node's `http.request` can be imported by name, out of reach of
 * patches. It ends where Node closes the request: response read, error or abort.
 */
import * as http from "node:http";
import { nowMs } from "../tracer/clock.ts";
import type { ApmSpan } from "../tracer/span.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import { injectTrace, noteAnswer, noteFailure, startOutgoingCall } from "./outgoing-call.ts";

const SPAN = Symbol("apm-daemon client span");
type Request = http.ClientRequest & { [SPAN]?: ApmSpan };

export function instrumentHttpClient({ provider, patches, log }: InstrumentationParts): void {
  const tracer = provider.tracer("http");
  const begin = (request: Request): void => {
    const { method, path } = request;
    const isTls = request.protocol === "https:";
    const span = startOutgoingCall(tracer, { method, path, isTls, host: hostOf(request) });
    if (span === null) return;
    request[SPAN] = span;
    // What the app propagates itself stays as it is.
    if (!request.hasHeader("traceparent"))
      injectTrace(span, (name, value) => void request.setHeader(name, value));
    request.once("close", () => span.endAt(nowMs()));
  };
  patches.wrap(http.ClientRequest.prototype, "_implicitHeader", (original) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const request = this as Request;
      try {
        if (request[SPAN] === undefined && !request.headersSent) begin(request);
      } catch (error) {
        log.internalError("http client", error);
      }
      return original.apply(this, args);
    };
  });
  patches.subscribe(
    "http.client.response.finish",
    ({ request, response }: { request: Request; response: http.IncomingMessage }) =>
      noteAnswer(request[SPAN], response.statusCode ?? 0),
  );
  patches.subscribe("http.client.request.error", ({ request, error }: { request: Request; error: unknown }) =>
    noteFailure(request[SPAN], error),
  );
}

function hostOf(request: Request): string {
  const header = request.getHeader("host");
  return typeof header === "string" ? header : request.host;
}
