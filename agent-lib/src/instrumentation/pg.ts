/** Spans of queries made with pg 8 (its JavaScript and its native client), and the caller's context through pg-pool. */
import { type EventEmitter, errorMonitor } from "node:events";
import {
  bindToContext,
  type DatabaseTarget,
  endDatabaseCall,
  endingCallback,
  endWithPromise,
  startDatabaseCall,
  withCallback,
  wrapPoolCall,
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
    patches.wrap(prototype, "connect", (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const [callback] = args;
        if (typeof callback !== "function") return original.apply(this, args);
        return original.call(this, bindToContext(callback as Method, parts.storage));
      };
    });
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
        if (!called.hasCallback) {
          query.once("end", () => endDatabaseCall(span, undefined));
          query.once(errorMonitor, (error: unknown) => endDatabaseCall(span, error));
        }
        return original.apply(this, called.args);
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
