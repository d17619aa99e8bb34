/**
 * Spans of queries made with pg 8 (its JavaScript and its native client; cursors and streams from the query to their
 * end), and the caller's context through pg-pool.
 */
import type { AsyncLocalStorage } from "node:async_hooks";
import { type EventEmitter, errorMonitor } from "node:events";
import type { Context } from "@opentelemetry/api";
import type { ApmSpan } from "../tracer/span.ts";
import {
  bindToContext,
  type DatabaseTarget,
  endDatabaseCall,
  endingCallback,
  endWithPromise,
  replaceMethod,
  startDatabaseCall,
  withCallback,
  wrapPoolCall,
  wrapWaiting,
} from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import type { Method } from "./patches.ts";

interface Client {
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly connectionParameters?: { host?: string; port?: number; database?: string };
}
/** What the driver accepts as a query that submits itself: its own Query, cursors, streams. */
interface Submittable extends EventEmitter {
  readonly submit: unknown;
  readonly text?: string;
  readonly cursor?: { text?: string };
  callback?: unknown;
}

const TARGET = Symbol("apm-daemon target");

export function instrumentPg(parts: InstrumentationParts): void {
  const { libraries, patches } = parts;
  const patchClient = (exports: unknown): void =>
    patches.wrap((exports as { prototype: object }).prototype, "query", (original) =>
      wrapQuery(original, parts),
    );
  libraries.onLoad("pg/lib/client.js", patchClient);
  libraries.onLoad("pg/lib/native/client.js", patchClient);
  // A pool hands a client to the next waiter in the context of whoever gave it back.
  libraries.onLoad("pg-pool/index.js", (exports) => {
    const { prototype } = exports as { prototype: object };
    patches.wrap(prototype, "connect", (original) => wrapWaiting(original, parts.storage));
    patches.wrap(prototype, "query", (original) => wrapPoolCall(original, parts, "postgresql", textOf));
  });
}

function wrapQuery(original: Method, { provider, storage, statements, log }: InstrumentationParts): Method {
  const tracer = provider.tracer("pg");
  const start = (client: Client, query: unknown): ReturnType<typeof startDatabaseCall> => {
    try {
      return startDatabaseCall(tracer, targetOf(client), statements.postgresql.of(textOf(query)));
    } catch (error) {
      log.internalError("pg", error);
      return null;
    }
  };
  return function (this: unknown, ...args: unknown[]): unknown {
    const [query] = args;
    const span = query === null || query === undefined ? null : start(this as Client, query);
    if (span === null) return original.apply(this, args);
    try {
      if (isSubmittable(query)) {
        const isCallbackInside = typeof query.callback === "function";
        if (isCallbackInside) query.callback = endingCallback(query.callback as Method, span, storage);
        const called = isCallbackInside ? { args, hasCallback: true } : withCallback(args, span, storage);
        if (!called.hasCallback) follow(query, span, storage);
        return original.apply(this, called.args);
      }
      const inside = (query as Submittable).callback;
      if (typeof inside === "function") {
        // The app's object stays as it is: it may be used for the next query, too.
        const callback = endingCallback(inside as Method, span, storage);
        args[0] = Object.create(query as object, { callback: { value: callback, enumerable: true } });
        return original.apply(this, args);
      }
      const called = withCallback(args, span, storage);
      const result = original.apply(this, called.args);
      return called.hasCallback ? result : endWithPromise(result, span);
    } catch (error) {
      endDatabaseCall(span, error);
      throw error;
    }
  };
}

/** What the client calls on a query as the server's messages come in. */
const HANDLERS = [
  "handleRowDescription",
  "handleDataRow",
  "handlePortalSuspended",
  "handleCommandComplete",
  "handleEmptyQuery",
  "handleReadyForQuery",
  "handleError",
] as const;

/**
 * Ends the span of a query that calls nobody back, when the server is through with it: a cursor emits no event when it
 * fails or is closed early. What the query then calls or emits does so in the context of its caller.
 */
function follow(query: Submittable, span: ApmSpan, storage: AsyncLocalStorage<Context>): void {
  for (const name of HANDLERS) {
    const handler = (query as unknown as Record<string, unknown>)[name];
    if (typeof handler !== "function") continue;
    const bound = bindToContext(handler as Method, storage);
    replaceMethod(query, name, function (this: unknown, ...args: unknown[]): unknown {
      if (name === "handleError") endDatabaseCall(span, args[0]);
      else if (name === "handleReadyForQuery") endDatabaseCall(span, undefined);
      return bound.apply(this, args);
    });
  }
  // The native client's queries have events only.
  query.once("end", () => endDatabaseCall(span, undefined));
  query.once(errorMonitor, (error: unknown) => endDatabaseCall(span, error));
}

function isSubmittable(query: unknown): query is Submittable {
  return (
    typeof query === "object" &&
    typeof (query as Submittable).submit === "function" &&
    "once" in (query as object)
  );
}

function textOf(query: unknown): string {
  if (typeof query === "string") return query;
  const { text, cursor } = (query ?? {}) as Submittable;
  return text ?? cursor?.text ?? "";
}

function targetOf(client: Client & { [TARGET]?: DatabaseTarget }): DatabaseTarget {
  let target = client[TARGET];
  if (target === undefined) {
    const { host, port, database } = { ...client.connectionParameters, ...definedOf(client) };
    const isPath = host?.startsWith("/") === true;
    target = {
      system: "postgresql",
      namespace: database ?? "",
      address: host ?? "localhost",
      port: isPath ? 0 : (port ?? 5432),
    };
    client[TARGET] = target;
  }
  return target;
}

function definedOf({ host, port, database }: Client): { host?: string; port?: number; database?: string } {
  return {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(database && { database }),
  };
}
