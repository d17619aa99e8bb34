/** Spans of operations on keys made with memjs 1, each with its retries, in the caller's context. */
import type { ApmSpan } from "../tracer/span.ts";
import { bindToContext, type DatabaseTarget, endDatabaseCall, startDatabaseCall } from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import type { Method } from "./patches.ts";

interface Server {
  readonly host?: string;
  readonly port?: number | string;
}
interface Client {
  readonly servers: readonly Server[];
}
interface Response {
  readonly header?: { readonly status?: number };
}

/** The operations of memcached's binary protocol that have a key, by opcode. */
const OPERATIONS: Readonly<Record<number, string>> = {
  0x00: "get",
  0x01: "set",
  0x02: "add",
  0x03: "replace",
  0x04: "delete",
  0x05: "incr",
  0x06: "decr",
  0x0e: "append",
  0x0f: "prepend",
  0x1c: "touch",
};
/** Found, not found, exists, not stored: answers, no failures. */
const ANSWERS = new Set([0x00, 0x01, 0x02, 0x05]);

export function instrumentMemjs(parts: InstrumentationParts): void {
  const { libraries, patches, provider, storage, log, statements } = parts;
  const tracer = provider.tracer("memjs");
  const start = (client: Client, key: unknown, request: unknown): ApmSpan | null => {
    try {
      const operation = OPERATIONS[(request as Buffer)[1] ?? 0];
      return startDatabaseCall(tracer, targetOf(client), statements.commands.of(operation, [key]));
    } catch (error) {
      log.internalError("memjs", error);
      return null;
    }
  };
  libraries.onLoad("memjs/lib/memjs/memjs.js", (exports) =>
    patches.wrap((exports as { Client: { prototype: object } }).Client.prototype, "perform", (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const [key, request, , callback, retriesLeft] = args;
        // It calls itself for each retry, with the number of those left.
        const isFirst = retriesLeft === undefined && typeof callback === "function";
        const span = isFirst ? start(this as Client, key, request) : null;
        if (span === null) return original.apply(this, args);
        const bound = bindToContext(callback as Method, storage);
        const ending: Method = function (this: unknown, ...results: unknown[]): unknown {
          endDatabaseCall(span, results[0] ?? failureIn(results[1]));
          return bound.apply(this, results);
        };
        return original.apply(this, args.with(3, ending));
      };
    }),
  );
}

/** The library makes an Error of it in the callback, too late for the span. */
function failureIn(response: unknown): unknown {
  const status = (response as Response | null | undefined)?.header?.status ?? 0;
  return ANSWERS.has(status) ? undefined : { code: status, message: "" };
}

/** With several servers the key decides, by a function that an app may have replaced: it is not asked twice. */
function targetOf({ servers }: Client): DatabaseTarget {
  const [server] = servers.length === 1 ? servers : [];
  return {
    system: "memcached",
    namespace: "",
    address: server?.host ?? "",
    port: Number(server?.port ?? 0) || 0,
  };
}
