/** Spans of commands sent with node-redis 4 to 6, in clients, pools and clusters; a transaction or pipeline has one. */
import type { CommandStatements } from "../sql/command-statements.ts";
import type { ObfuscatedStatement } from "../sql/obfuscate.ts";
import {
  type DatabaseTarget,
  endDatabaseCall,
  endWithPromise,
  startDatabaseCall,
  wrapWaiting,
} from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import type { Method } from "./patches.ts";

interface Client {
  readonly options?: {
    url?: string;
    socket?: { host?: string; port?: number; path?: string };
    database?: number;
  };
}

const UNKNOWN_SERVER: DatabaseTarget = { system: "redis", namespace: "", address: "", port: 0 };
const TARGET = Symbol("apm-daemon target");

export function instrumentRedis(parts: InstrumentationParts): void {
  const { libraries, patches, storage } = parts;
  libraries.onLoad("@redis/client/dist/lib/client/index.js", (exports) => {
    const { prototype } = (exports as { default: { prototype: object } }).default;
    if (!("_executeMulti" in prototype)) return;
    patches.wrap(prototype, "sendCommand", (original) => wrapCommand(original, commandIn, parts));
    patches.wrap(prototype, "_executeMulti", (original) => wrapCommand(original, () => MULTI, parts));
    patches.wrap(prototype, "_executePipeline", (original) => wrapCommand(original, () => PIPELINE, parts));
  });
  // A pool hands a client to the next waiter in the context of whoever gave it back.
  libraries.onLoad("@redis/client/dist/lib/client/pool.js", (exports) =>
    patches.wrap(
      (exports as { RedisClientPool: { prototype: object } }).RedisClientPool.prototype,
      "execute",
      (original) => wrapWaiting(original, storage),
    ),
  );
  // Release 4 keeps its way of sending private; its queue, which does not know the server's address, is what is left.
  libraries.onLoad("@redis/client/dist/lib/client/commands-queue.js", (exports) => {
    const { prototype } = (exports as { default: { prototype: object } }).default;
    if (!("getCommandToSend" in prototype)) return;
    patches.wrap(prototype, "addCommand", (original) => {
      const traced = wrapCommand(original, commandIn, parts, UNKNOWN_SERVER);
      return function (this: unknown, ...args: unknown[]): unknown {
        return (isOfConnecting(args) ? original : traced).apply(this, args);
      };
    });
  });
}

type StatementOf = (commands: CommandStatements, first: unknown) => ObfuscatedStatement;

const MULTI: ObfuscatedStatement = { text: "", operation: "MULTI", table: "" };
const PIPELINE: ObfuscatedStatement = { text: "", operation: "PIPELINE", table: "" };
const EMPTY: ObfuscatedStatement = { text: "", operation: "", table: "" };

function commandIn(commands: CommandStatements, args: unknown): ObfuscatedStatement {
  return Array.isArray(args) ? commands.of(args[0], args, 1) : EMPTY;
}

/** What release 4 sends by itself when it has connected goes ahead of what waits. */
function isOfConnecting([args, options]: unknown[]): boolean {
  if ((options as { asap?: unknown } | undefined)?.asap !== true) return false;
  return /^(?:AUTH|HELLO|CLIENT|SELECT|READONLY)$/.test(String((args as unknown[])[0]));
}

function wrapCommand(
  original: Method,
  statementOf: StatementOf,
  { provider, log, statements: { commands } }: InstrumentationParts,
  server: DatabaseTarget | null = null,
): Method {
  const tracer = provider.tracer("redis");
  const start = (client: Client, first: unknown): ReturnType<typeof startDatabaseCall> => {
    try {
      const statement = statementOf(commands, first);
      const span = startDatabaseCall(tracer, server ?? targetOf(client), statement);
      if (statement === MULTI || statement === PIPELINE)
        span?.put("db.operation.batch.size", (first as unknown[]).length);
      return span;
    } catch (error) {
      log.internalError("redis", error);
      return null;
    }
  };
  return function (this: unknown, ...args: unknown[]): unknown {
    const span = start(this as Client, args[0]);
    if (span === null) return original.apply(this, args);
    try {
      return endWithPromise(original.apply(this, args), span);
    } catch (error) {
      endDatabaseCall(span, error);
      throw error;
    }
  };
}

function targetOf(client: Client & { [TARGET]?: DatabaseTarget }): DatabaseTarget {
  let target = client[TARGET];
  if (target === undefined) {
    const { url, socket, database } = client.options ?? {};
    const fromUrl = url !== undefined && URL.canParse(url) ? new URL(url) : null;
    target = {
      system: "redis",
      namespace: database === undefined ? "" : String(database),
      address: socket?.path ?? socket?.host ?? (fromUrl?.hostname || "localhost"),
      port: socket?.path === undefined ? (socket?.port ?? (Number(fromUrl?.port) || 6379)) : 0,
    };
    Object.defineProperty(client, TARGET, { value: target });
  }
  return target;
}
