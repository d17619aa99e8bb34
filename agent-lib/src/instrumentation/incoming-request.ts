/** What the spans of requests to HTTP/1.1 and HTTP/2 servers have in common. */
import type { IncomingHttpHeaders } from "node:http";
import { type Context, SpanKind, trace } from "@opentelemetry/api";
import { isLocalAddress } from "../local-address.ts";
import { nowMs } from "../tracer/clock.ts";
import { EMPTY_CONTEXT } from "../tracer/empty-context.ts";
import type { ApmSpan } from "../tracer/span.ts";
import { parseTraceparent } from "../tracer/trace-context.ts";
import type { ApmTracer } from "../tracer/tracer.ts";
import { type HostAndPort, parseHost, stripQuery } from "../url-parts.ts";
import type { InstrumentationParts, Trust } from "./instrumentation-parts.ts";

const MAX_HOSTS = 256;

/** Asked only when it matters: Node asks the operating system for the address. */
interface Connection {
  readonly remoteAddress?: string | undefined;
}

export class IncomingRequests {
  readonly #tracer: ApmTracer;
  readonly #trust: Trust;
  readonly #hosts = new Map<string, HostAndPort>();

  constructor({ provider, trust }: InstrumentationParts, scope: string) {
    this.#tracer = provider.tracer(scope);
    this.#trust = trust;
  }

  /** `host` is "host:port" as the client wrote it, `target` the path with its query, which is not recorded. */
  start(
    method: string,
    target: string,
    isTls: boolean,
    host: string,
    headers: IncomingHttpHeaders,
    connection: Connection,
  ): ApmSpan {
    const startMs = nowMs();
    const span = this.#tracer.start(method, SpanKind.SERVER, this.#parentOf(headers, connection), startMs);
    const { address, port } = this.#hostOf(host);
    span.put("http.request.method", method);
    span.put("url.path", stripQuery(target));
    span.put("url.scheme", isTls ? "https" : "http");
    if (address !== "") span.put("server.address", address);
    if (port !== 0) span.put("server.port", port);
    const started = headers["x-request-start"];
    if (started !== undefined) putQueueTime(span, String(started));
    return span;
  }

  /** A remote parent or none: never what happens to be active, which may be another request of this connection. */
  #parentOf({ traceparent, tracestate }: IncomingHttpHeaders, connection: Connection): Context {
    if (typeof traceparent !== "string") return EMPTY_CONTEXT;
    if (this.#trust === "local" && !isLocalAddress(connection.remoteAddress ?? "")) return EMPTY_CONTEXT;
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
