import {
  type AttributeValue,
  MESSAGE_HEADER_BYTES,
  type Shape,
  SpanEncoder,
  type SpanExtra,
  slotTypeOf,
  TraceEntry,
  type TraceSummary,
} from "@apm-daemon/protocol";
import { WINDOW_SEC } from "./sample-batch.ts";

/** As a daemon's. */
const MAX_TRACE_BYTES = 262_144;

export interface SampleSpan {
  spanId: string;
  /** "" for none. */
  parentSpanId: string;
  name: string;
  /** OpenTelemetry's SpanKind. */
  kind: number;
  startMs: number;
  durationMs: number;
  error?: boolean;
  attributes?: Record<string, AttributeValue>;
  extra?: SpanExtra;
}

/** A SPANS payload of one process's part of a trace; the first span is its entry. Starts are ms after WINDOW_SEC. */
export function spansFrame(traceId: string, spans: readonly SampleSpan[]): Buffer {
  const [root] = spans;
  if (!root) throw new Error("a frame needs an entry span");
  const encoder = new SpanEncoder(MAX_TRACE_BYTES);
  const word = (hex: string, i: number): number => Number.parseInt(hex.slice(i * 8, i * 8 + 8) || "0", 16);
  const trace = new TraceEntry(
    word(traceId, 0),
    word(traceId, 1),
    word(traceId, 2),
    word(traceId, 3),
    word(root.spanId, 0),
    word(root.spanId, 1),
  );
  encoder.begin(WINDOW_SEC * 1_000_000);
  for (const span of spans) {
    const attributes = Object.entries(span.attributes ?? {});
    let shape: Shape | null = encoder.shapes.root("test", span.kind);
    for (const [key, value] of attributes) shape = shape?.follow(key, slotTypeOf(value)) ?? null;
    if (!shape) throw new Error("too many shapes");
    const record = {
      shape,
      values: attributes.map(([, value]) => value),
      name: span.name,
      trace,
      idHi: word(span.spanId, 0),
      idLo: word(span.spanId, 1),
      parentHi: word(span.parentSpanId, 0),
      parentLo: word(span.parentSpanId, 1),
      isLocalRoot: span === root,
      hasRemoteParent: span === root && span.parentSpanId !== "",
      hasError: span.error === true,
      extra: span.extra ?? null,
    };
    const added = encoder.add(
      record,
      (span.startMs + span.durationMs) * 1_000_000,
      span.durationMs * 1_000_000,
    );
    if (added !== "added") throw new Error(`the span was ${added}`);
  }
  return Buffer.from(encoder.take(1).subarray(MESSAGE_HEADER_BYTES));
}

/** The summary that belongs to such a frame. */
export function traceSummary(
  traceId: string,
  root: SampleSpan,
  changes: Partial<TraceSummary> = {},
): TraceSummary {
  return {
    traceId,
    rootSpanId: root.spanId,
    app: "shop",
    instance: "i1",
    action: root.name,
    kind: "web",
    startUnixMs: WINDOW_SEC * 1000 + root.startMs,
    durationUs: root.durationMs * 1000,
    status: 200,
    error: root.error === true,
    spans: 1,
    reason: "random",
    ...changes,
  };
}
