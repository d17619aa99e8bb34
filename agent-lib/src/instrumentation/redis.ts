/** Spans of commands sent with node-redis 4 to 6. Keys and values are never recorded, only the command's name. */
import { type DatabaseTarget, endDatabaseCall, endWithPromise, startDatabaseCall } from "./database-call.ts";
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
  const { libraries, patches } = parts;
  libraries.onLoad("@redis/client/dist/lib/client/index.js", (exports) => {
    const { prototype } = (exports as { default: { prototype: object } }).default;
    if (!("_executeMulti" in prototype)) return;
    patches.wrap(prototype, "sendCommand", (original) => wrapCommand(original, commandName, parts));
    patches.wrap(prototype, "_executeMulti", (original) => wrapCommand(original, () => "MULTI", parts));
    patches.wrap(prototype, "_executePipeline", (original) => wrapCommand(original, () => "PIPELINE", parts));
  });
  // Release 4 keeps its way of sending private; its queue, which does not know the server's address, is what is left.
  libraries.onLoad("@redis/client/dist/lib/client/commands-queue.js", (exports) => {
    const { prototype } = (exports as { default: { prototype: object } }).default;
    if (!("getCommandToSend" in prototype)) return;
    patches.wrap(prototype, "addCommand", (original) =>
      wrapCommand(original, commandName, parts, UNKNOWN_SERVER),
    );
  });
}

function wrapCommand(
  original: Method,
  nameOf: (first: unknown) => string,
  { provider, log }: InstrumentationParts,
  server: DatabaseTarget | null = null,
): Method {
  const tracer = provider.tracer("redis");
  const start = (client: Client, first: unknown): ReturnType<typeof startDatabaseCall> => {
    try {
      return startDatabaseCall(tracer, server ?? targetOf(client), {
        operation: nameOf(first),
        table: "",
        text: "",
      });
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

function commandName(args: unknown): string {
  const name = Array.isArray(args) ? String(args[0]) : "";
  return /^[\w.-]{1,40}$/.test(name) ? name.toUpperCase() : "";
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
