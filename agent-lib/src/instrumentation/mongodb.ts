/**
 * Spans of commands sent with mongodb 6 and 7: one for each message to a server, so a cursor has one for its query and
 * one for each batch after it. The driver's own events for commands are not used: they must be switched on in the
 * app's client, copy every command and reply, and come in no context.
 */
import { parseHost } from "../url-parts.ts";
import { type DatabaseTarget, endDatabaseCall, endWithPromise, startDatabaseCall } from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import type { Method } from "./patches.ts";

interface Connection {
  readonly address?: unknown;
  [TARGET]?: DatabaseTarget;
}
type Command = Record<string, unknown>;
/** A reply, or the driver's way to look into one that it has not parsed. */
interface Reply {
  readonly writeErrors?: unknown;
  readonly writeConcernError?: unknown;
  has?(name: string): boolean;
  toObject?(): Reply;
}

const TARGET = Symbol("apm-daemon target");
/** What the driver says to a server by itself; the first ones carry credentials. */
const OF_DRIVER = new Set([
  "saslStart",
  "saslContinue",
  "authenticate",
  "getnonce",
  "hello",
  "ismaster",
  "isMaster",
  "endSessions",
]);
const WRITES = ["insert", "update", "delete", "findAndModify", "bulkWrite"];

export function instrumentMongodb(parts: InstrumentationParts): void {
  parts.libraries.onLoad("mongodb/lib/cmap/connection.js", (exports) =>
    parts.patches.wrap(
      (exports as { Connection: { prototype: object } }).Connection.prototype,
      "command",
      (original) => wrapCommand(original, parts),
    ),
  );
}

function wrapCommand(original: Method, { provider, log, statements }: InstrumentationParts): Method {
  const tracer = provider.tracer("mongodb");
  const start = (
    connection: Connection,
    db: unknown,
    command: Command,
  ): ReturnType<typeof startDatabaseCall> => {
    try {
      const statement = statements.mongodb.of(command);
      if (OF_DRIVER.has(statement.operation)) return null;
      const target = { ...targetOf(connection), namespace: typeof db === "string" ? db : "" };
      return startDatabaseCall(tracer, target, statement);
    } catch (error) {
      log.internalError("mongodb", error);
      return null;
    }
  };
  return function (this: unknown, ...args: unknown[]): unknown {
    const [namespace, command] = args as [{ db?: unknown } | undefined, Command];
    const span = start(this as Connection, namespace?.db, command);
    if (span === null) return original.apply(this, args);
    try {
      const errorIn = WRITES.some((name) => name in command) ? writeErrorIn : undefined;
      return endWithPromise(original.apply(this, args), span, errorIn);
    } catch (error) {
      endDatabaseCall(span, error);
      throw error;
    }
  };
}

/** A write that failed is answered with ok: the driver makes an Error of the reply later. */
function writeErrorIn(reply: unknown): unknown {
  try {
    return firstWriteError(reply ?? {});
  } catch {
    return undefined;
  }
}

function firstWriteError(reply: Reply): unknown {
  if (typeof reply.has === "function" && typeof reply.toObject === "function") {
    const hasFailed = reply.has("writeErrors") || reply.has("writeConcernError");
    return hasFailed ? firstWriteError(reply.toObject()) : undefined;
  }
  const { writeErrors, writeConcernError } = reply;
  const failed: unknown = Array.isArray(writeErrors) ? writeErrors[0] : writeConcernError;
  if (typeof failed !== "object" || failed === null) return undefined;
  const { code, errmsg } = failed as { code?: unknown; errmsg?: unknown };
  return { code, message: typeof errmsg === "string" ? errmsg : "" };
}

function targetOf(connection: Connection): DatabaseTarget {
  let target = connection[TARGET];
  if (target === undefined) {
    const server = typeof connection.address === "string" ? connection.address : "";
    const isPath = server.includes("/");
    const { address, port } = isPath ? { address: server, port: 0 } : parseHost(server);
    target = { system: "mongodb", namespace: "", address, port };
    Object.defineProperty(connection, TARGET, { value: target });
  }
  return target;
}
