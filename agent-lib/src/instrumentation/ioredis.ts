/**
 * Spans of commands sent with ioredis 5 and 6, alone or by a cluster's client. A pipeline or transaction has one span;
 * commands that the client pipelines by itself (enableAutoPipelining) have one each, for they may be of many requests.
 *
 * A command passes sendCommand again when the offline queue is flushed, after a reconnect, and when a cluster redirects
 * it: its first pass counts. The span ends with the command's own resolve or reject, and not by listening to its
 * promise: a rejection that the app does not handle must stay unhandled.
 */
import type { ObfuscatedStatement } from "../sql/obfuscate.ts";
import type { ApmSpan } from "../tracer/span.ts";
import { type DatabaseTarget, endDatabaseCall, startDatabaseCall, wrapWaiting } from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";

const SPAN = Symbol("apm-daemon span");
const TARGET = Symbol("apm-daemon target");

/** A command or a pipeline: both are settled through these two. */
interface Settled {
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  [SPAN]?: ApmSpan | null;
}
interface Command extends Settled {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly pipelineIndex?: number;
}
interface Client {
  readonly status?: string;
  readonly isCluster?: boolean;
  readonly options?: { host?: string; port?: number; path?: string | null; db?: number };
  [TARGET]?: DatabaseTarget;
}
interface Pipeline extends Settled {
  readonly redis: Client;
  readonly _queue: readonly Command[];
  readonly _transactions: number;
  [key: symbol]: unknown;
}

/** What a client sends by itself between connecting and being ready. */
const OF_CONNECTING = new Set(["auth", "client", "hello", "info", "readonly", "select"]);
const CLUSTER: DatabaseTarget = { system: "redis", namespace: "", address: "", port: 0 };
const PIPELINE: ObfuscatedStatement = { text: "", operation: "PIPELINE", table: "" };
const MULTI: ObfuscatedStatement = { text: "", operation: "MULTI", table: "" };

export function instrumentIoredis(parts: InstrumentationParts): void {
  const { libraries, patches } = parts;
  const calls = new Calls(parts);
  const prototypeOf = (exports: unknown): object =>
    (exports as { default: { prototype: object } }).default.prototype;
  const patchClient = (exports: unknown): void =>
    patches.wrap(prototypeOf(exports), "sendCommand", (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        calls.startCommand(this as Client, args[0] as Command);
        return original.apply(this, args);
      };
    });
  libraries.onLoad("ioredis/built/Redis.js", patchClient);
  libraries.onLoad("ioredis/built/cluster/index.js", (exports) => {
    patchClient(exports);
    // What waits until the cluster's slots are known goes on in the context of whoever asked for it.
    patches.wrap(prototypeOf(exports), "delayUntilReady", (original) => wrapWaiting(original, parts.storage));
  });
  // Pipelines that the client makes by itself bear a symbol of this module.
  libraries.onLoad("ioredis/built/autoPipelining.js", (exports) => {
    const { kExec } = exports as { kExec?: symbol };
    if (kExec !== undefined) calls.automaticMarks.push(kExec);
  });
  libraries.onLoad("ioredis/built/Pipeline.js", (exports) => {
    patches.wrap(prototypeOf(exports), "sendCommand", (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        const pipeline = this as Pipeline;
        if (calls.isAutomatic(pipeline)) calls.startCommand(pipeline.redis, args[0] as Command);
        return original.apply(this, args);
      };
    });
    patches.wrap(prototypeOf(exports), "exec", (original) => {
      return function (this: unknown, ...args: unknown[]): unknown {
        calls.startPipeline(this as Pipeline);
        return original.apply(this, args);
      };
    });
  });
}

class Calls {
  readonly #parts: InstrumentationParts;
  readonly #tracer;
  /** One for each copy of the library that is loaded. */
  readonly automaticMarks: symbol[] = [];

  constructor(parts: InstrumentationParts) {
    this.#parts = parts;
    this.#tracer = parts.provider.tracer("ioredis");
  }

  isAutomatic(pipeline: Pipeline): boolean {
    return this.automaticMarks.some((mark) => mark in pipeline);
  }

  startCommand(client: Client, command: Command): void {
    try {
      const known = command[SPAN];
      if (known !== undefined) {
        // A cluster has chosen the node.
        if (known !== null && client.isCluster !== true) putServer(known, targetOf(client));
        return;
      }
      if (command.pipelineIndex !== undefined) return;
      if (client.status === "connect" && OF_CONNECTING.has(command.name)) return;
      const statement = this.#parts.statements.commands.of(command.name, command.args);
      const span = startDatabaseCall(this.#tracer, targetOf(client), statement);
      command[SPAN] = span;
      if (span !== null) endWhenSettled(command, span, () => undefined);
    } catch (error) {
      this.#parts.log.internalError("ioredis", error);
    }
  }

  startPipeline(pipeline: Pipeline): void {
    try {
      // exec() calls itself: in a transaction, and while a cluster is not ready.
      if (pipeline[SPAN] !== undefined || this.isAutomatic(pipeline)) return;
      const { _queue: queue, redis } = pipeline;
      const isMulti = queue[0]?.name === "multi";
      const span = startDatabaseCall(this.#tracer, targetOf(redis), isMulti ? MULTI : PIPELINE);
      pipeline[SPAN] = span;
      if (span === null) return;
      span.put("db.operation.batch.size", isMulti ? queue.length - 1 : queue.length);
      endWhenSettled(pipeline, span, firstError);
    } catch (error) {
      this.#parts.log.internalError("ioredis", error);
    }
  }
}

function endWhenSettled(settled: Settled, span: ApmSpan, errorIn: (value: unknown) => unknown): void {
  const { resolve, reject } = settled;
  settled.resolve = (value) => {
    endDatabaseCall(span, errorIn(value));
    resolve.call(settled, value);
  };
  settled.reject = (error) => {
    endDatabaseCall(span, error);
    reject.call(settled, error);
  };
}

/** A pipeline resolves with a pair [error, result] for each of its commands. */
function firstError(results: unknown): unknown {
  if (!Array.isArray(results)) return undefined;
  return (results as ([unknown] | undefined)[]).find((pair) => Array.isArray(pair) && pair[0])?.[0];
}

function putServer(span: ApmSpan, { address, port }: DatabaseTarget): void {
  span.put("server.address", address);
  if (port !== 0) span.put("server.port", port);
}

function targetOf(client: Client): DatabaseTarget {
  if (client.isCluster === true) return CLUSTER;
  let target = client[TARGET];
  if (target === undefined) {
    const { host, port, path, db } = client.options ?? {};
    const isPath = typeof path === "string" && path !== "";
    target = {
      system: "redis",
      namespace: db === undefined ? "" : String(db),
      address: isPath ? path : (host ?? "localhost"),
      port: isPath ? 0 : (port ?? 6379),
    };
    Object.defineProperty(client, TARGET, { value: target });
  }
  return target;
}
