import { ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import { runInAction } from "../api/action.ts";
import { nowMs } from "../tracer/clock.ts";
import { failSpan } from "../tracer/fail-span.ts";
import { isTracingSuppressed } from "../tracer/linked-context.ts";
import type { ApmSpan } from "../tracer/span.ts";
import { parseTraceparent } from "../tracer/trace-context.ts";
import type { ApmTracer } from "../tracer/tracer.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";

/** Where messages go to, or come from. */
export interface Destination {
  readonly system: string;
  /** Of few values: a queue, an exchange, a topic. */
  readonly name: string;
  /** The broker; "" where it cannot be known. */
  readonly address: string;
  /** 0 where it cannot be known. */
  readonly port: number;
}

/** A leaf span of handing a message over; null when tracing is suppressed or calls are left out. */
export function startSend(tracer: ApmTracer, destination: Destination, operation: string): ApmSpan | null {
  const context = tracer.activeContext();
  if (isTracingSuppressed(context) || tracer.skipsCall()) return null;
  const span = tracer.start(`${destination.name} ${operation}`, SpanKind.PRODUCER, context, nowMs());
  describe(span, destination, operation, "send");
  return span;
}

export function endSend(span: ApmSpan, error: unknown): void {
  if (error !== undefined) failSpan(span, error);
  span.endAt(nowMs());
}

/**
 * Runs a consumer's handler as a background action. It continues the sender's trace, and none of what happens to be active:
 * brokers' clients call handlers from where their connection was made.
 */
export function runConsumer(
  { provider, storage, actions, log }: InstrumentationParts,
  destination: Destination,
  traceparent: unknown,
  handle: () => unknown,
  describeMore?: (span: ApmSpan) => void,
): unknown {
  const tracer = provider.tracer(destination.system);
  let span: ApmSpan;
  try {
    const sender = typeof traceparent === "string" ? parseTraceparent(traceparent, "") : null;
    const parent = sender === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, sender);
    span = tracer.start(`${destination.name} process`, SpanKind.CONSUMER, parent, nowMs());
    describe(span, destination, "process", "process");
    describeMore?.(span);
  } catch (error) {
    log.internalError(destination.system, error);
    return handle();
  }
  return runInAction({ storage, open: actions, log }, span, handle);
}

function describe(
  span: ApmSpan,
  { system, name, address, port }: Destination,
  operation: string,
  type: string,
): void {
  span.put("messaging.system", system);
  span.put("messaging.destination.name", name);
  span.put("messaging.operation.name", operation);
  span.put("messaging.operation.type", type);
  if (address !== "") span.put("server.address", address);
  if (port !== 0) span.put("server.port", port);
}
