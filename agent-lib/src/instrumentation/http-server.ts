/**
 * Spans of the requests that node:http and node:https servers answer.
 *
 * A request starts where the server emits "request": the handler runs in the span's context. Wrapping emit costs about
 * as much as enterWith on the diagnostics channel, but does not leak: on Node 20 the second request of a connection
 * would start with the first one's span active. Body events of later packets come without any context, so the
 * message's own emit is bound when there is a body. A request ends where Node publishes that the response is finished,
 * or where its connection closes.
 */
import * as http from "node:http";
import * as https from "node:https";
import type { Socket } from "node:net";
import { type Context, SpanKind, trace } from "@opentelemetry/api";
import { isLocalAddress } from "../local-address.ts";
import { nowMs } from "../tracer/clock.ts";
import { EMPTY_CONTEXT } from "../tracer/empty-context.ts";
import type { ApmSpan } from "../tracer/span.ts";
import { parseTraceparent } from "../tracer/trace-context.ts";
import type { ApmTracer } from "../tracer/tracer.ts";
import { type HostAndPort, parseHost, stripQuery } from "../url-parts.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import { OpenRequest } from "./open-requests.ts";
import type { Method } from "./patches.ts";

const OPEN_ON_SOCKET = Symbol("apm-daemon open requests");
type ServerSocket = Socket & { encrypted?: boolean; [OPEN_ON_SOCKET]?: OpenRequest[] };

const MAX_HOSTS = 256;

export function instrumentHttpServer(parts: InstrumentationParts): void {
  const server = new HttpServerSpans(parts);
  for (const { Server } of [http, https])
    parts.patches.wrap(Server.prototype, "emit", (emit) => server.wrapEmit(emit));
  parts.patches.subscribe(
    "http.server.response.finish",
    ({ request, response }: { request: http.IncomingMessage; response: http.ServerResponse }) =>
      server.finish(request, response),
  );
}

class HttpServerSpans {
  readonly #parts: InstrumentationParts;
  readonly #tracer: ApmTracer;
  readonly #hosts = new Map<string, HostAndPort>();

  constructor(parts: InstrumentationParts) {
    this.#parts = parts;
    this.#tracer = parts.provider.tracer("http");
  }

  wrapEmit(emit: Method): Method {
    const { requests, storage, log } = this.#parts;
    const begin = (message: http.IncomingMessage, response: http.ServerResponse): ApmSpan | null => {
      // Frameworks may emit a request again, at another server of theirs.
      if (requests.of(message) !== undefined) return null;
      try {
        return this.#begin(message, response);
      } catch (error) {
        log.internalError("http server", error);
        return null;
      }
    };
    return function (this: unknown, ...args: unknown[]): unknown {
      const isRequest =
        args[0] === "request" || args[0] === "checkContinue" || args[0] === "checkExpectation";
      if (!isRequest) return emit.apply(this, args);
      const span = begin(args[1] as http.IncomingMessage, args[2] as http.ServerResponse);
      return span === null ? emit.apply(this, args) : storage.run(span, () => emit.apply(this, args));
    };
  }

  finish(message: http.IncomingMessage, response: http.ServerResponse): void {
    const { requests } = this.#parts;
    const request = requests.of(message);
    if (request === undefined) return;
    const open = (message.socket as ServerSocket)[OPEN_ON_SOCKET];
    const index = open?.indexOf(request) ?? -1;
    if (index !== -1) open?.splice(index, 1);
    requests.end(request, response.statusCode);
  }

  #begin(message: http.IncomingMessage, response: http.ServerResponse): ApmSpan {
    const startMs = nowMs();
    const { headers } = message;
    const method = message.method ?? "HTTP";
    const socket = message.socket as ServerSocket;
    const span = this.#tracer.start(method, SpanKind.SERVER, this.#parentOf(message), startMs);
    const host = this.#hostOf(headers.host ?? "");
    span.put("http.request.method", method);
    span.put("url.path", stripQuery(message.url ?? ""));
    span.put("url.scheme", socket.encrypted === true ? "https" : "http");
    if (host.address !== "") span.put("server.address", host.address);
    if (host.port !== 0) span.put("server.port", host.port);
    const started = headers["x-request-start"];
    if (started !== undefined) putQueueTime(span, String(started));
    const request = new OpenRequest(span, method, response);
    this.#parts.requests.open(message, request);
    this.#watchConnection(socket, request);
    if (hasBody(message)) this.#bindBody(message, span);
    return span;
  }

  /** A remote parent or none: never what happens to be active, which may be another request of this connection. */
  #parentOf(message: http.IncomingMessage): Context {
    const { traceparent, tracestate } = message.headers;
    if (typeof traceparent !== "string") return EMPTY_CONTEXT;
    if (this.#parts.trust === "local" && !isLocalAddress(message.socket.remoteAddress ?? ""))
      return EMPTY_CONTEXT;
    const remote = parseTraceparent(traceparent, String(tracestate ?? ""));
    return remote === null ? EMPTY_CONTEXT : trace.setSpanContext(EMPTY_CONTEXT, remote);
  }

  #hostOf(host: string): HostAndPort {
    let parsed = this.#hosts.get(host);
    if (parsed === undefined) {
      parsed = parseHost(host);
      if (this.#hosts.size < MAX_HOSTS) this.#hosts.set(host, parsed);
    }
    return parsed;
  }

  /** One listener for the life of a connection sees the requests that it leaves unanswered. */
  #watchConnection(socket: ServerSocket, request: OpenRequest): void {
    const known = socket[OPEN_ON_SOCKET];
    if (known !== undefined) {
      known.push(request);
      return;
    }
    const open = [request];
    socket[OPEN_ON_SOCKET] = open;
    socket.once("close", () => {
      try {
        for (const unanswered of open.splice(0)) this.#abort(unanswered);
      } catch (error) {
        this.#parts.log.internalError("http server", error);
      }
    });
  }

  #abort(request: OpenRequest): void {
    const { response } = request;
    request.span.put("apm.aborted", true);
    this.#parts.requests.end(request, response.headersSent ? response.statusCode : 0);
  }

  #bindBody(message: http.IncomingMessage, span: ApmSpan): void {
    const { storage } = this.#parts;
    const emit = message.emit.bind(message);
    message.emit = (...args: Parameters<typeof emit>): boolean => storage.run(span, () => emit(...args));
  }
}

function hasBody({ headers }: http.IncomingMessage): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

const MAX_QUEUE_MS = 3_600_000;

/** "t=1700000000.123", in s, ms or µs since 1970, as load balancers write it. */
function putQueueTime(span: ApmSpan, header: string): void {
  const value = Number(header.replace(/^\s*t=/, ""));
  if (!(value > 1e9)) return;
  const startUnixMs = value > 1e14 ? value / 1_000 : value > 1e11 ? value : value * 1_000;
  const queuedMs = Date.now() - startUnixMs;
  if (queuedMs >= 0 && queuedMs <= MAX_QUEUE_MS)
    span.put("apm.queue_time_ms", Math.round(queuedMs * 1_000) / 1_000);
}
