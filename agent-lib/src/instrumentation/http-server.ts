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
import { Server, type Socket } from "node:net";
import { bindEmitter } from "../tracer/bind-emitter.ts";
import type { ApmSpan } from "../tracer/span.ts";
import { IncomingRequests } from "./incoming-request.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import { OpenRequest } from "./open-requests.ts";
import type { Method } from "./patches.ts";

const OPEN_ON_SOCKET = Symbol("apm-daemon open requests");
type ServerSocket = Socket & { encrypted?: boolean; [OPEN_ON_SOCKET]?: OpenRequest[] };

export function instrumentHttpServer(parts: InstrumentationParts): void {
  const server = new HttpServerSpans(parts);
  // What the servers of http, https and http2 have in common. Loading node:https only to patch it would cost an app that has no use for it
  // 1 MB and 2 ms.
  parts.patches.wrap(Server.prototype, "emit", (emit) => server.wrapEmit(emit));
  parts.patches.subscribe(
    "http.server.response.finish",
    ({ request, response }: { request: http.IncomingMessage; response: http.ServerResponse }) =>
      server.finish(request, response),
  );
}

export class HttpServerSpans {
  readonly #parts: InstrumentationParts;
  readonly #incoming: IncomingRequests;

  constructor(parts: InstrumentationParts) {
    this.#parts = parts;
    this.#incoming = new IncomingRequests(parts, "http");
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
      const [event, message] = args;
      const isRequest = event === "request" || event === "checkContinue" || event === "checkExpectation";
      if (!isRequest || !(message instanceof http.IncomingMessage)) return emit.apply(this, args);
      const span = begin(message, args[2] as http.ServerResponse);
      return span === null ? emit.apply(this, args) : storage.run(span, emitAs, emit, this, args);
    };
  }

  finish(message: http.IncomingMessage, response: http.ServerResponse): void {
    const { requests } = this.#parts;
    const request = requests.of(message);
    if (request === undefined) return;
    const open = (message.socket as ServerSocket)[OPEN_ON_SOCKET];
    if (open?.at(-1) === request) open.pop();
    else if (open?.includes(request)) open.splice(open.indexOf(request), 1);
    requests.end(request, response.statusCode);
  }

  #begin(message: http.IncomingMessage, response: http.ServerResponse): ApmSpan {
    const { headers, url = "", method = "HTTP" } = message;
    const socket = message.socket as ServerSocket;
    const isTls = socket.encrypted === true;
    const span = this.#incoming.start(method, url, isTls, headers.host ?? "", headers, socket);
    const request = new OpenRequest(span, method, response);
    this.#parts.requests.open(message, request);
    this.#watchConnection(socket, request);
    if (hasBody(message)) bindEmitter(this.#parts.storage, span, message);
    return span;
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
    this.#parts.requests.end(request, response?.headersSent === true ? response.statusCode : 0);
  }
}

function emitAs(emit: Method, emitter: unknown, args: unknown[]): unknown {
  return emit.apply(emitter, args);
}

function hasBody({ headers }: http.IncomingMessage): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}
