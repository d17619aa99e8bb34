/** Spans of queries and prepared statements made with mysql2 (callbacks, promises, pools), in the caller's context. */
import { type EventEmitter, errorMonitor } from "node:events";
import {
  bindToContext,
  type DatabaseTarget,
  endDatabaseCall,
  endingCallback,
  startDatabaseCall,
  withCallback,
  wrapPoolCall,
} from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import type { Method } from "./patches.ts";

interface Connection {
  readonly config?: { host?: string; port?: number; database?: string; socketPath?: string };
}
/** A query that a pool made before it had a connection. */
interface Command extends EventEmitter {
  onResult?: unknown;
}

const TARGET = Symbol("apm-daemon target");

export function instrumentMysql2(parts: InstrumentationParts): void {
  const { libraries, patches, storage } = parts;
  const patchConnection = (exports: unknown): void => {
    const { prototype } = exports as { prototype: object };
    for (const name of ["query", "execute"])
      if (Object.hasOwn(prototype, name))
        patches.wrap(prototype, name, (original) => wrapQuery(original, parts));
  };
  const patchPool = (exports: unknown): void => {
    const { prototype } = exports as { prototype: object };
    if (!Object.hasOwn(prototype, "getConnection")) return;
    for (const name of ["query", "execute"])
      if (Object.hasOwn(prototype, name))
        patches.wrap(prototype, name, (original) => wrapPoolCall(original, parts, "mysql", textOf));
    patches.wrap(prototype, "getConnection", (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const [callback] = args;
        if (typeof callback !== "function") return original.apply(this, args);
        return original.call(this, bindToContext(callback as Method, storage));
      };
    });
  };
  // Releases before 3.11 have these classes one folder higher.
  for (const folder of ["mysql2/lib", "mysql2/lib/base"]) {
    libraries.onLoad(`${folder}/connection.js`, patchConnection);
    libraries.onLoad(`${folder}/pool.js`, patchPool);
  }
}

function wrapQuery(original: Method, { provider, storage, statements, log }: InstrumentationParts): Method {
  const tracer = provider.tracer("mysql2");
  const start = (connection: Connection, query: unknown): ReturnType<typeof startDatabaseCall> => {
    try {
      return startDatabaseCall(tracer, targetOf(connection), statements.mysql.of(textOf(query)));
    } catch (error) {
      log.internalError("mysql2", error);
      return null;
    }
  };
  return function (this: unknown, ...args: unknown[]): unknown {
    const span = start(this as Connection, args[0]);
    if (span === null) return original.apply(this, args);
    try {
      const command = args[0] as Command;
      if (typeof command === "object" && typeof command?.onResult === "function") {
        command.onResult = endingCallback(command.onResult as Method, span, storage);
        return original.apply(this, args);
      }
      const called = withCallback(args, span, storage);
      const running = original.apply(this, called.args);
      if (!called.hasCallback) {
        (running as Command).once(errorMonitor, (error: unknown) => endDatabaseCall(span, error));
        (running as Command).once("end", () => endDatabaseCall(span, undefined));
      }
      return running;
    } catch (error) {
      endDatabaseCall(span, error);
      throw error;
    }
  };
}

function textOf(query: unknown): string {
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
