/** Spans of calls made with fetch (Node's own) and undici, by undici's diagnostics channels. */
import { nowMs } from "../tracer/clock.ts";
import type { ApmSpan } from "../tracer/span.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import { injectTrace, noteAnswer, noteFailure, startOutgoingCall } from "./outgoing-call.ts";

const SPAN = Symbol("apm-daemon client span");

interface Request {
  readonly origin: string | URL;
  readonly path: string;
  readonly method: string;
  addHeader?(name: string, value: string): unknown;
  [SPAN]?: ApmSpan;
}
interface Message {
  readonly request: Request;
}

export function instrumentUndici({ provider, patches }: InstrumentationParts): void {
  const tracer = provider.tracer("undici");
  patches.subscribe("undici:request:create", ({ request }: Message) => {
    const [scheme = "http", rest = ""] = String(request.origin).split("://");
    const { method, path } = request;
    const span = startOutgoingCall(tracer, { method, path, isTls: scheme === "https", host: hostOf(rest) });
    if (span === null) return;
    request[SPAN] = span;
    injectTrace(span, (name, value) => request.addHeader?.(name, value));
  });
  patches.subscribe(
    "undici:request:headers",
    ({ request, response }: Message & { response: { statusCode: number } }) =>
      noteAnswer(request[SPAN], response.statusCode),
  );
  patches.subscribe("undici:request:trailers", ({ request }: Message) => request[SPAN]?.endAt(nowMs()));
  patches.subscribe("undici:request:error", ({ request, error }: Message & { error: unknown }) => {
    noteFailure(request[SPAN], error);
    request[SPAN]?.endAt(nowMs());
  });
}

/** What stands between user info and path. */
function hostOf(authority: string): string {
  const host = authority.split("/", 1)[0] ?? "";
  return host.slice(host.lastIndexOf("@") + 1);
}
