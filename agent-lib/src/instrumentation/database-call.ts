import type { AsyncLocalStorage } from "node:async_hooks";
import { type Context, createContextKey, SpanKind } from "@opentelemetry/api";
import type { ObfuscatedStatement } from "../sql/obfuscate.ts";
import { obfuscateMessage } from "../sql/obfuscate-message.ts";
import { type Origin, slowStatements } from "../sql/slow-statements.ts";
import { callName } from "../sql/statements.ts";
import { nowMs } from "../tracer/clock.ts";
import { EMPTY_CONTEXT } from "../tracer/empty-context.ts";
import { describeException, markDatabaseError } from "../tracer/exception.ts";
import { isTracingSuppressed } from "../tracer/linked-context.ts";
import type { ApmSpan } from "../tracer/span.ts";
import type { ApmTracer } from "../tracer/tracer.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import type { Method } from "./patches.ts";

export interface DatabaseTarget {
  readonly system: string;
  readonly namespace: string;
  /** Host or path of a Unix socket, "" where it cannot be known. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
}

/** A leaf span of one database call; it never becomes the active one. Null when tracing is suppressed or too dear now. */
export function startDatabaseCall(
  tracer: ApmTracer,
  target: DatabaseTarget,
  statement: ObfuscatedStatement,
): ApmSpan | null {
  const context = tracer.activeContext();
  if (isTracingSuppressed(context) || tracer.skipsCall()) return null;
  const { operation, table, text } = statement;
  const span = tracer.start(callName(statement, target.system), SpanKind.CLIENT, context, nowMs());
  span.put("db.system.name", target.system);
  if (target.namespace !== "") span.put("db.namespace", target.namespace);
  if (target.address !== "") span.put("server.address", target.address);
  if (target.port !== 0) span.put("server.port", target.port);
  if (operation !== "") span.put("db.operation.name", operation);
  if (table !== "") span.put("db.collection.name", table);
  // The cache has limited the text; put() would cut it to the length of other attributes.
  if (text !== "") span.store("db.query.text", text);
  const key = text || span.name;
  if (slowStatements.isMarked(key)) {
    const origin = originOf(context);
    if (origin !== null) slowStatements.keep(span, origin);
  }
  return span;
}

/** Under it a context has where a pool was called, which calls its connections later. */
const ORIGIN_KEY = createContextKey("apm-daemon origin of a call");

function originOf(context: Context): Origin | null {
  const ofPool = context.getValue(ORIGIN_KEY) as Origin | undefined;
  if (ofPool === undefined || ofPool.isTaken) return slowStatements.capture();
  ofPool.isTaken = true;
  return ofPool;
}

/**
 * A pool's method made to tell its connections where it was called from: when they are, the caller's stack is gone. Only for
 * statements that are known to be slow; all others go on as they came.
 */
export function wrapPoolCall(
  original: Method,
  { statements, storage, log }: InstrumentationParts,
  dialect: "postgresql" | "mysql",
  textOf: (query: unknown) => string,
): Method {
  const contextOf = (query: unknown): Context | null => {
    try {
      if (!slowStatements.isAnyMarked) return null;
      const statement = statements[dialect].of(textOf(query));
      if (!slowStatements.isMarked(statement.text || callName(statement, dialect))) return null;
      const origin = slowStatements.capture();
      return origin && (storage.getStore() ?? EMPTY_CONTEXT).setValue(ORIGIN_KEY, origin);
    } catch (error) {
      log.internalError("pool", error);
      return null;
    }
  };
  return function (this: unknown, ...args: unknown[]): unknown {
    const context = contextOf(args[0]);
    if (context === null) return original.apply(this, args);
    return storage.run(context, () => original.apply(this, args));
  };
}

export function endDatabaseCall(span: ApmSpan, error: unknown): void {
  if (error !== undefined && error !== null && span.isRecording()) {
    markDatabaseError(error);
    const { code } = error as { code?: unknown };
    const { type, message } = describeException(error);
    span.hasError = true;
    const isCode = (typeof code === "string" && code !== "") || typeof code === "number";
    span.put("error.type", isCode ? String(code) : type);
    (span.extra ??= {}).statusMessage = obfuscateMessage(message);
  }
  const endMs = nowMs();
  if (endMs - span.startMs >= slowStatements.thresholdMs && span.isRecording()) noteSlow(span);
  span.endAt(endMs);
}

function noteSlow(span: ApmSpan): void {
  const text = span.values[span.shape.keys.indexOf("db.query.text")];
  const stack = slowStatements.slow(span, typeof text === "string" && text !== "" ? text : span.name);
  // It is limited already, beyond what other attributes may have.
  if (stack !== "") span.store("code.stacktrace", stack);
}

/**
 * The arguments with their last function, the callback, made to end the span and to run in the caller's context (the
 * driver calls it from its socket's). Without a callback the arguments stay as they are: `isAsync` then is false.
 */
export function withCallback(
  args: unknown[],
  span: ApmSpan,
  storage: AsyncLocalStorage<Context>,
): { args: unknown[]; hasCallback: boolean } {
  const index = args.findLastIndex((arg) => typeof arg === "function");
  if (index === -1) return { args, hasCallback: false };
  return { args: args.with(index, endingCallback(args[index] as Method, span, storage)), hasCallback: true };
}

export function endingCallback(callback: Method, span: ApmSpan, storage: AsyncLocalStorage<Context>): Method {
  const bound = bindToContext(callback, storage);
  return function (this: unknown, ...results: unknown[]): unknown {
    endDatabaseCall(span, results[0]);
    return bound.apply(this, results);
  };
}

/** A function that runs in the context that is active now, whoever calls it. */
export function bindToContext(callback: Method, storage: AsyncLocalStorage<Context>): Method {
  const context = storage.getStore();
  if (context === undefined) return callback;
  return function (this: unknown, ...args: unknown[]): unknown {
    return storage.run(context, () => callback.apply(this, args));
  };
}

/** A method whose first argument, if it is a function, runs in the caller's context: pools call it from another one's. */
export function wrapWaiting(original: Method, storage: AsyncLocalStorage<Context>): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [callback, ...rest] = args;
    if (typeof callback !== "function") return original.apply(this, args);
    return original.call(this, bindToContext(callback as Method, storage), ...rest);
  };
}

/** Puts a method in the place of an object's own or inherited one, as visible in a listing as that was. */
export function replaceMethod(target: object, name: string, method: Method): void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  const enumerable = own?.enumerable ?? false;
  Object.defineProperty(target, name, { value: method, writable: true, configurable: true, enumerable });
}

/**
 * A promise like `result` that ends the span. It takes the place of `result`, so that a rejection that nobody handles
 * still is one. `errorIn` finds the failure that some drivers report in what they resolve with.
 */
export function endWithPromise(
  result: unknown,
  span: ApmSpan,
  errorIn?: (value: unknown) => unknown,
): unknown {
  if (typeof (result as PromiseLike<unknown> | null)?.then !== "function") {
    endDatabaseCall(span, undefined);
    return result;
  }
  return (result as Promise<unknown>).then(
    (value) => {
      endDatabaseCall(span, errorIn?.(value));
      return value;
    },
    (error: unknown) => {
      endDatabaseCall(span, error);
      throw error;
    },
  );
}
