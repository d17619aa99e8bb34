/**
 * Spans of the requests that node:http2 servers answer, by streams or by the compatibility API that Express, Koa, Fastify
 * and others use.
 *
 * A request starts where the server emits "stream"; the compatibility API makes its request of that, within the span's
 * context, and the request is marked so that frameworks find the span. A request ends where its stream closes. The
 * classes of node:http2 are not exported, and loading it only to patch it would cost each app some 20 ms: a server
 * that begins to listen shows them. A secure server may speak HTTP/1.1 as well: http-server.ts sees these messages.
 */
import type { IncomingMessage } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { Server } from "node:net";
import { bindEmitter } from "../tracer/bind-emitter.ts";
import type { ApmSpan } from "../tracer/span.ts";
import { IncomingRequests } from "./incoming-request.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import { OpenRequest } from "./open-requests.ts";
import type { Method } from "./patches.ts";

const CLASSES = new Set(["Http2Server", "Http2SecureServer"]);
const COMPAT_EVENTS = new Set<unknown>(["request", "checkContinue", "checkExpectation"]);

export function instrumentHttp2Server(parts: InstrumentationParts): void {
  const { patches, log } = parts;
  const http2 = new Http2ServerSpans(parts);
  const seen = new WeakSet<object>();
  const look = (server: object): void => {
    const { constructor } = server;
    if (!CLASSES.has(constructor.name) || seen.has(constructor)) return;
    seen.add(constructor);
    patches.wrap(constructor.prototype, "emit", (emit) => http2.wrapEmit(emit));
  };
  patches.wrap(Server.prototype, "listen", (listen) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      try {
        look(this as object);
      } catch (error) {
        log.internalError("http2 server", error);
      }
      return listen.apply(this, args);
    };
  });
}

class Http2ServerSpans {
  readonly #parts: InstrumentationParts;
  readonly #incoming: IncomingRequests;

  constructor(parts: InstrumentationParts) {
    this.#parts = parts;
    this.#incoming = new IncomingRequests(parts, "http2");
  }

  wrapEmit(emit: Method): Method {
    const { storage, log } = this.#parts;
    const onEvent = (event: unknown, subject: unknown, headers: unknown): ApmSpan | null => {
      try {
        if (event === "stream")
          return this.#begin(subject as ServerHttp2Stream, headers as IncomingHttpHeaders);
        if (COMPAT_EVENTS.has(event)) this.#mark(subject as IncomingMessage & { stream?: object });
      } catch (error) {
        log.internalError("http2 server", error);
      }
      return null;
    };
    return function (this: unknown, ...args: unknown[]): unknown {
      const span = onEvent(args[0], args[1], args[2]);
      return span === null ? emit.apply(this, args) : storage.run(span, () => emit.apply(this, args));
    };
  }

  #begin(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): ApmSpan {
    const { requests, storage } = this.#parts;
    const method = headers[":method"] ?? "HTTP";
    const isTls = headers[":scheme"] === "https";
    const host = headers[":authority"] ?? headers.host ?? "";
    const socket = stream.session?.socket ?? {};
    const span = this.#incoming.start(method, headers[":path"] ?? "", isTls, host, headers, socket);
    const request = new OpenRequest(span, method, null);
    requests.open(stream, request);
    // Events of later frames come without any context.
    bindEmitter(storage, span, stream);
    stream.once("close", () => {
      try {
        this.#end(stream, request);
      } catch (error) {
        this.#parts.log.internalError("http2 server", error);
      }
    });
    return span;
  }

  #end(stream: ServerHttp2Stream, request: OpenRequest): void {
    const status = Number(stream.sentHeaders?.[":status"] ?? 0);
    // A stream that was reset leaves its answer unfinished; "aborted" says so of those whose request was unfinished.
    if (stream.aborted || status === 0 || !stream.writableFinished) request.span.put("apm.aborted", true);
    this.#parts.requests.end(request, status);
  }

  #mark(message: { stream?: object }): void {
    const { requests } = this.#parts;
    const request = requests.of(message.stream);
    if (request !== undefined) requests.mark(message, request);
  }
}
