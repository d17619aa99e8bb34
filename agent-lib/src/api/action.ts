import type { AsyncLocalStorage } from "node:async_hooks";
import { MAX_NAME_CHARS } from "@apm-daemon/protocol";
import { type Context, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import type { AgentLog } from "../agent-log.ts";
import { nowMs } from "../tracer/clock.ts";
import { failSpan } from "../tracer/fail-span.ts";
import { SPAN_KEY } from "../tracer/linked-context.ts";
import { ApmSpan } from "../tracer/span.ts";
import { parseTraceparent } from "../tracer/trace-context.ts";
import type { ApmTracer } from "../tracer/tracer.ts";
import { textOf, truncate } from "../tracer/truncate.ts";
import type { OpenAction, OpenActions } from "./open-actions.ts";

export interface ActionOptions {
  /**
   * The `traceparent` header of the message that this work is for: the action then continues the sender's trace. Without
   * one, or with one that is malformed, it begins a trace of its own.
   */
  traceparent?: string | undefined;
}

/** What actions need of a running agent. */
export interface ActionParts {
  readonly tracer: ApmTracer;
  readonly storage: AsyncLocalStorage<Context>;
  readonly open: OpenActions;
  readonly log: AgentLog;
}

/**
 * Runs work in a span of its own. Its result and its errors are the caller's; a thenable that is no promise is awaited, so
 * that one which starts its work when it is awaited is measured too.
 */
export function runAction(
  parts: ActionParts | null,
  name: string,
  work: () => unknown,
  options: ActionOptions,
): unknown {
  const span = parts === null ? null : startAction(parts, name, options);
  if (parts === null || span === null) return settled(work());
  return runInAction(parts, span, () => settled(work()));
}

/** Runs work in a span that began with it, and ends that; a promise that it returns is replaced by one like it. */
export function runInAction(parts: Omit<ActionParts, "tracer">, span: ApmSpan, work: () => unknown): unknown {
  const action = parts.open.add(span);
  let result: unknown;
  try {
    result = parts.storage.run(span, work);
  } catch (error) {
    failAction(parts, action, error);
    throw error;
  }
  if (!(result instanceof Promise)) {
    endAction(parts, action);
    return result;
  }
  return result.then(
    (value: unknown) => {
      endAction(parts, action);
      return value;
    },
    (error: unknown) => {
      failAction(parts, action, error);
      throw error;
    },
  );
}

function settled(result: unknown): unknown {
  return typeof (result as PromiseLike<unknown> | null)?.then === "function"
    ? Promise.resolve(result)
    : result;
}

function startAction(
  { tracer, log }: ActionParts,
  name: string,
  { traceparent }: ActionOptions,
): ApmSpan | null {
  try {
    const shown = truncate(textOf(name), MAX_NAME_CHARS) || "(unnamed)";
    const sender = traceparent === undefined ? null : parseTraceparent(textOf(traceparent), "");
    if (traceparent === undefined) return tracer.start(shown, SpanKind.INTERNAL, parentOf(tracer), nowMs());
    const parent = sender === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, sender);
    return tracer.start(shown, SpanKind.CONSUMER, parent, nowMs());
  } catch (error) {
    log.internalError("action", error);
    return null;
  }
}

/**
 * The running request or action. A timer keeps the context that it was set in: what it starts when that has ended is work of
 * its own.
 */
function parentOf(tracer: ApmTracer): Context {
  const context = tracer.activeContext();
  const active = context.getValue(SPAN_KEY);
  return active instanceof ApmSpan && !active.isRecording() ? ROOT_CONTEXT : context;
}

function failAction(parts: Pick<ActionParts, "open" | "log">, action: OpenAction, error: unknown): void {
  try {
    failSpan(action.span, error);
  } catch (internal) {
    parts.log.internalError("action", internal);
  }
  endAction(parts, action);
}

function endAction({ open }: Pick<ActionParts, "open">, action: OpenAction): void {
  open.delete(action);
  action.span.endAt(nowMs());
}
