/**
 * Spans of calls made with node:http2. A call starts with `session.request`, where traceparent is added, and ends where
 * its stream closes.
 *
 * The session's class is not exported. Where node:http2 is loaded by the time the agent starts, as Node 22 and later
 * have it, `http2.connect` shows the class with the first session. Node 20 loads it with the app, and loading it for the
 * app costs some 20 ms: there each connection looks whether it has been loaded meanwhile, and if so, a session that leads nowhere
 * shows the class before the first real one is of use.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { bindEmitter } from "../tracer/bind-emitter.ts";
import { nowMs } from "../tracer/clock.ts";
import { EMPTY_CONTEXT } from "../tracer/empty-context.ts";
import type { ApmSpan } from "../tracer/span.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import {
  describeOutgoingCall,
  injectTrace,
  noteAnswer,
  noteFailure,
  openOutgoingCall,
} from "./outgoing-call.ts";
import type { Method } from "./patches.ts";

type Http2 = typeof import("node:http2");

/** NGHTTP2_NO_ERROR, known without loading node:http2. */
const NO_ERROR = 0;

/** Names of what Node has loaded of itself; public by long custom, not by documentation. */
const { moduleLoadList = [] } = process as { moduleLoadList?: string[] };
const require = createRequire(import.meta.url);

export function instrumentHttp2Client(parts: InstrumentationParts): void {
  const { patches, log } = parts;
  const calls = new Http2Calls(parts);
  let isPatched = false;
  const patch = (session: object): void => {
    if (isPatched) return;
    isPatched = true;
    patches.wrap(Object.getPrototypeOf(session) as object, "request", (request) =>
      calls.wrapRequest(request),
    );
  };
  const tryTo = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      log.internalError("http2 client", error);
    }
  };
  if (isHttp2Loaded()) {
    const http2 = require("node:http2") as Http2;
    // Functions that are imported by name follow: now, and when all is undone, which goes backwards.
    patches.onUndo(syncBuiltinESMExports);
    patches.wrap(http2, "connect", (connect) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const session = connect.apply(this, args) as object;
        tryTo(() => patch(session));
        return session;
      };
    });
    syncBuiltinESMExports();
    return;
  }
  patches.wrap(Socket.prototype, "connect", (connect) => {
    return function (this: unknown, ...args: unknown[]): unknown {
      if (!isPatched && isHttp2Loaded()) tryTo(() => showSession(patch));
      return connect.apply(this, args);
    };
  });
}

function isHttp2Loaded(): boolean {
  return moduleLoadList.includes("NativeModule http2");
}

function showSession(look: (session: object) => void): void {
  const { connect } = require("node:http2") as Http2;
  const nowhere = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const session = connect("http://localhost", { createConnection: () => nowhere });
  session.on("error", () => {});
  look(session);
  session.destroy();
  nowhere.destroy();
}

class Http2Calls {
  readonly #parts: InstrumentationParts;

  constructor(parts: InstrumentationParts) {
    this.#parts = parts;
  }

  wrapRequest(original: Method): Method {
    const { provider, log } = this.#parts;
    const tracer = provider.tracer("http2");
    const begin = (session: ClientHttp2Session, args: unknown[]): ApmSpan | null => {
      try {
        // undici's calls have spans already, by its channels.
        const span = isOfUndici(session) ? null : openOutgoingCall(tracer, "HTTP");
        if (span !== null) args[0] = withTrace(args[0], span);
        return span;
      } catch (error) {
        log.internalError("http2 client", error);
        return null;
      }
    };
    const watch = (stream: ClientHttp2Stream, span: ApmSpan): void => {
      try {
        this.#watch(stream, span);
      } catch (error) {
        log.internalError("http2 client", error);
      }
    };
    return function (this: unknown, ...args: unknown[]): unknown {
      const span = begin(this as ClientHttp2Session, args);
      if (span === null) return original.apply(this, args);
      try {
        const stream = original.apply(this, args) as ClientHttp2Stream;
        watch(stream, span);
        return stream;
      } catch (error) {
        noteFailure(span, error);
        span.endAt(nowMs());
        throw error;
      }
    };
  }

  #watch(stream: ClientHttp2Stream, span: ApmSpan): void {
    const { storage } = this.#parts;
    const sent = stream.sentHeaders ?? {};
    describeOutgoingCall(span, {
      method: String(sent[":method"] ?? "GET"),
      path: String(sent[":path"] ?? "/"),
      isTls: sent[":scheme"] === "https",
      host: String(sent[":authority"] ?? sent.host ?? ""),
    });
    // Events of a stream otherwise come in the context in which its session was connected.
    bindEmitter(storage, storage.getStore() ?? EMPTY_CONTEXT, stream);
    stream.once("response", (headers) => noteAnswer(span, headers[":status"] ?? 0));
    stream.once("close", () => {
      // A listener for "error" would hide errors from the app.
      if (stream.errored !== null) noteFailure(span, stream.errored);
      else if (stream.rstCode !== NO_ERROR) noteFailure(span, { code: "ABORTED" });
      span.endAt(nowMs());
    });
  }
}

/** Known by a property of the sessions that undici makes. */
function isOfUndici(session: object): boolean {
  return Object.getOwnPropertySymbols(session).some(({ description }) => description === "open streams");
}

/** Headers are an object, an array of names and values in turn, or nothing. What the app propagates itself stays. */
function withTrace(headers: unknown, span: ApmSpan): unknown {
  if (headers !== undefined && (typeof headers !== "object" || headers === null)) return headers;
  const isList = Array.isArray(headers);
  const names: unknown[] = isList ? headers.filter((_, i) => i % 2 === 0) : Object.keys(headers ?? {});
  if (names.some((name) => String(name).toLowerCase() === "traceparent")) return headers;
  const more: Record<string, string> = {};
  injectTrace(span, (name, value) => {
    more[name] = value;
  });
  return isList ? [...headers, ...Object.entries(more).flat()] : { ...headers, ...more };
}
