import type { AsyncLocalStorage } from "node:async_hooks";
import { MAX_NAME_CHARS, type Shape, type ShapeTree } from "@apm-daemon/protocol";
import {
  type Context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { monotonicMsOf, nowMs } from "./clock.ts";
import { EMPTY_CONTEXT } from "./empty-context.ts";
import { isTracingSuppressed, SPAN_KEY } from "./linked-context.ts";
import { LocalRoot } from "./local-root.ts";
import { type RandomIds, wordAt } from "./random-ids.ts";
import { ApmSpan } from "./span.ts";
import type { SpanRules } from "./span-rules.ts";
import type { SpanSink } from "./span-sink.ts";
import { textOf, truncate } from "./truncate.ts";

/** What all tracers of a process share. */
export interface TracerParts {
  readonly shapes: ShapeTree;
  readonly sink: SpanSink;
  readonly rules: SpanRules;
  readonly ids: RandomIds;
  readonly storage: AsyncLocalStorage<Context>;
}

/** Makes spans of one instrumentation scope. Every span is recorded: sampling happens in the daemon, after counting. */
export class ApmTracer implements Tracer {
  readonly #parts: TracerParts;
  /** Shapes without attributes, by SpanKind. */
  readonly #roots: readonly Shape[];

  constructor(scope: string, parts: TracerParts) {
    this.#parts = parts;
    this.#roots = [0, 1, 2, 3, 4].map((kind) => parts.shapes.root(scope, kind));
  }

  /** The context of the running code. */
  activeContext(): Context {
    return this.#parts.storage.getStore() ?? EMPTY_CONTEXT;
  }

  /** True when a leaf span, made by an instrumentation, is to be left out for now; see overhead/overhead-contract.ts. */
  skipsCall(): boolean {
    return this.#parts.sink.skipsCall();
  }

  startSpan(name: string, options: SpanOptions = {}, context: Context = this.activeContext()): Span {
    if (isTracingSuppressed(context)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const startMs = options.startTime === undefined ? nowMs() : monotonicMsOf(options.startTime);
    const span = this.start(
      truncate(textOf(name), MAX_NAME_CHARS),
      options.kind ?? SpanKind.INTERNAL,
      options.root === true ? EMPTY_CONTEXT : context,
      startMs,
    );
    if (options.attributes !== undefined) span.setAttributes(options.attributes);
    if (options.links !== undefined) span.addLinks(options.links);
    return span;
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, fn: F): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    context: Context,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan(name: string, ...rest: unknown[]): unknown {
    const fn = rest.at(-1) as (span: Span) => unknown;
    const options = (rest.length > 1 ? rest[0] : undefined) as SpanOptions | undefined;
    const parent = (rest.length > 2 ? rest[1] : this.activeContext()) as Context;
    const span = this.startSpan(name, options, parent);
    const active = span instanceof ApmSpan && span.base === parent ? span : parent.setValue(SPAN_KEY, span);
    return this.#parts.storage.run(active, fn, span);
  }

  /** A child of the context's span, or a new local root under a remote parent or none. `startMs` is monotonic. */
  start(name: string, kind: number, context: Context, startMs: number): ApmSpan {
    if (context instanceof ApmSpan) return this.#child(name, kind, context.base, startMs, context);
    const parent = context === EMPTY_CONTEXT ? undefined : context.getValue(SPAN_KEY);
    if (parent instanceof ApmSpan) return this.#child(name, kind, context, startMs, parent);
    const remote = (parent as Span | undefined)?.spanContext();
    return remote !== undefined && isSpanContextValid(remote)
      ? this.#remoteChild(name, kind, context, startMs, remote)
      : this.#root(name, kind, context, startMs);
  }

  #child(name: string, kind: number, base: Context, startMs: number, parent: ApmSpan): ApmSpan {
    const { sink, rules, ids } = this.#parts;
    return new ApmSpan(
      sink,
      rules,
      base,
      this.#roots[kind] as Shape,
      name,
      startMs,
      parent.trace,
      ids.next(),
      ids.nextNonZero(),
      parent.idHi,
      parent.idLo,
      false,
      false,
    );
  }

  #root(name: string, kind: number, base: Context, startMs: number): ApmSpan {
    const { ids } = this.#parts;
    const idHi = ids.next();
    const idLo = ids.nextNonZero();
    const trace = new LocalRoot(ids.next(), ids.next(), ids.next(), ids.nextNonZero(), idHi, idLo, "");
    return this.#localRoot(name, kind, base, startMs, trace, 0, 0, false);
  }

  #remoteChild(name: string, kind: number, base: Context, startMs: number, remote: SpanContext): ApmSpan {
    const { ids } = this.#parts;
    const { traceId, spanId, traceState } = remote;
    const word = (index: number): number => wordAt(traceId, index * 8);
    const trace = new LocalRoot(
      word(0),
      word(1),
      word(2),
      word(3),
      ids.next(),
      ids.nextNonZero(),
      traceState?.serialize() ?? "",
    );
    return this.#localRoot(name, kind, base, startMs, trace, wordAt(spanId, 0), wordAt(spanId, 8), true);
  }

  #localRoot(
    name: string,
    kind: number,
    base: Context,
    startMs: number,
    trace: LocalRoot,
    parentHi: number,
    parentLo: number,
    hasRemoteParent: boolean,
  ): ApmSpan {
    return new ApmSpan(
      this.#parts.sink,
      this.#parts.rules,
      base,
      this.#roots[kind] as Shape,
      name,
      startMs,
      trace,
      trace.rootHi,
      trace.rootLo,
      parentHi,
      parentLo,
      true,
      hasRemoteParent,
    );
  }
}
