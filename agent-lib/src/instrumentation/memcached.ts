/** Spans of commands sent with memcached 2: one for each server that a command goes to, in the caller's context. */
import type { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@opentelemetry/api";
import type { ApmSpan } from "../tracer/span.ts";
import { parseHost } from "../url-parts.ts";
import { bindToContext, type DatabaseTarget, endDatabaseCall, startDatabaseCall } from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import type { Method } from "./patches.ts";

interface Client {
  readonly servers: readonly string[];
  readonly HashRing: { get(key: unknown): unknown };
}
interface Query {
  readonly type?: unknown;
  readonly key?: unknown;
  readonly value?: unknown;
  callback?: unknown;
}

export function instrumentMemcached(parts: InstrumentationParts): void {
  const { libraries, patches, provider, storage, log, statements } = parts;
  const tracer = provider.tracer("memcached");
  const follow = (client: Client, query: Query, server: unknown): void => {
    try {
      // The library refuses queries without one.
      if (typeof query.callback !== "function") return;
      const args = [query.key, query.value].flat().filter((argument) => argument !== undefined);
      const target = targetOf(server ?? serverOf(client, query));
      const span = startDatabaseCall(tracer, target, statements.commands.of(query.type, args));
      if (span !== null) query.callback = endingWithResult(query.callback as Method, span, storage);
    } catch (error) {
      log.internalError("memcached", error);
    }
  };
  libraries.onLoad("memcached/lib/memcached.js", (exports) =>
    patches.wrap((exports as { prototype: object }).prototype, "command", (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const [compile, server] = args;
        if (typeof compile !== "function") return original.apply(this, args);
        const client = this as Client;
        // Called with an argument it makes the copies for other servers, which nobody is told of.
        const compileAndFollow: Method = function (this: unknown, ...how: unknown[]): unknown {
          const query: unknown = Reflect.apply(compile, this, how);
          if (how.length === 0) follow(client, query as Query, server);
          return query;
        };
        return original.apply(this, args.with(0, compileAndFollow));
      };
    }),
  );
}

function endingWithResult(callback: Method, span: ApmSpan, storage: AsyncLocalStorage<Context>): Method {
  const bound = bindToContext(callback, storage);
  return function (this: unknown, ...results: unknown[]): unknown {
    endDatabaseCall(span, failureIn(results[0]));
    return bound.apply(this, results);
  };
}

/** Some commands report a list of errors. That an item was not stored is an answer, as after "add". */
function failureIn(error: unknown): unknown {
  const first: unknown = Array.isArray(error) ? error[0] : error;
  return (first as { notStored?: unknown } | undefined)?.notStored === true ? undefined : first;
}

function serverOf(client: Client, query: Query): unknown {
  if (client.servers.length === 1) return client.servers[0];
  return typeof query.key === "string" ? client.HashRing.get(query.key) : undefined;
}

function targetOf(server: unknown): DatabaseTarget {
  if (typeof server !== "string") return { system: "memcached", namespace: "", address: "", port: 0 };
  if (server.startsWith("/")) return { system: "memcached", namespace: "", address: server, port: 0 };
  const { address, port } = parseHost(server);
  return { system: "memcached", namespace: "", address, port: port === 0 ? 11_211 : port };
}
