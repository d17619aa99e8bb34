/** What mysql and mysql2 have in common: queries with callbacks or events, and pools that submit them later. */
import { type EventEmitter, errorMonitor } from "node:events";
import {
  bindToContext,
  type DatabaseTarget,
  endDatabaseCall,
  endingCallback,
  replaceMethod,
  startDatabaseCall,
  withCallback,
} from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import type { Method } from "./patches.ts";

interface Connection {
  readonly config?: { host?: string; port?: number; database?: string; socketPath?: string };
}
/** A query that its caller, or a pool, made before it had a connection. */
type Command = EventEmitter & Record<string, unknown>;

const TARGET = Symbol("apm-daemon target");

/** `callbackKey` is where the library's query objects keep their callback. */
export function wrapMysqlQuery(
  original: Method,
  library: string,
  callbackKey: string,
  { provider, storage, statements, log }: InstrumentationParts,
): Method {
  const tracer = provider.tracer(library);
  const start = (connection: Connection, query: unknown): ReturnType<typeof startDatabaseCall> => {
    try {
      return startDatabaseCall(tracer, targetOf(connection), statements.mysql.of(textOf(query)));
    } catch (error) {
      log.internalError(library, error);
      return null;
    }
  };
  return function (this: unknown, ...args: unknown[]): unknown {
    const span = start(this as Connection, args[0]);
    if (span === null) return original.apply(this, args);
    try {
      const command = args[0] as Command;
      if (typeof command === "object" && typeof command?.[callbackKey] === "function") {
        command[callbackKey] = endingCallback(command[callbackKey] as Method, span, storage);
        return original.apply(this, args);
      }
      const called = withCallback(args, span, storage);
      const running = original.apply(this, called.args);
      if (!called.hasCallback) {
        const query = running as Command;
        query.once(errorMonitor, (error: unknown) => endDatabaseCall(span, error));
        query.once("end", () => endDatabaseCall(span, undefined));
        // Rows come from the socket, which has the context of whoever opened it.
        replaceMethod(query, "emit", bindToContext(query["emit"] as Method, storage));
      }
      return running;
    } catch (error) {
      endDatabaseCall(span, error);
      throw error;
    }
  };
}

export function textOf(query: unknown): string {
  if (typeof query === "string") return query;
  const sql = (query as { sql?: unknown } | null)?.sql;
  return typeof sql === "string" ? sql : "";
}

function targetOf(connection: Connection & { [TARGET]?: DatabaseTarget }): DatabaseTarget {
  let target = connection[TARGET];
  if (target === undefined) {
    const { host, port, database, socketPath } = connection.config ?? {};
    target = {
      system: "mysql",
      namespace: database ?? "",
      address: socketPath ?? host ?? "localhost",
      port: socketPath === undefined ? (port ?? 3306) : 0,
    };
    connection[TARGET] = target;
  }
  return target;
}
