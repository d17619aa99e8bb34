import {
  type AttributeValue,
  MESSAGE_HEADER_BYTES,
  type Shape,
  SpanEncoder,
  slotTypeOf,
  TraceEntry,
  type TraceSummary,
} from "@apm-daemon/protocol";

const MAX_TRACE_BYTES = 262_144;

export interface MadeSpan {
  id: number;
  /** 0 for none. */
  parent: number;
  name: string;
  /** OpenTelemetry's SpanKind. */
  kind: number;
  /** After the trace's start. */
  atMs: number;
  durationMs: number;
  attributes?: Record<string, AttributeValue>;
}

export interface MadeTrace {
  summary: TraceSummary;
  frame: Buffer;
}

/** A kept trace of one process, written by hand; the first span is its entry. `number` makes ids. */
export function madeTrace(
  number: number,
  startUnixMs: number,
  spans: readonly [MadeSpan, ...MadeSpan[]],
  changes: Partial<TraceSummary>,
): MadeTrace {
  const [root] = spans;
  const encoder = new SpanEncoder(MAX_TRACE_BYTES);
  const entry = new TraceEntry(0, 0, 1, number, number, root.id);
  encoder.begin(startUnixMs * 1_000);
  for (const span of spans) {
    const attributes = Object.entries(span.attributes ?? {});
    let shape: Shape | null = encoder.shapes.root("test", span.kind);
    for (const [key, value] of attributes) shape = shape?.follow(key, slotTypeOf(value)) ?? null;
    if (!shape) throw new Error("too many shapes");
    const record = {
      shape,
      values: attributes.map(([, value]) => value),
      name: span.name,
      trace: entry,
      idHi: number,
      idLo: span.id,
      parentHi: span.parent === 0 ? 0 : number,
      parentLo: span.parent,
      isLocalRoot: span === root,
      hasRemoteParent: false,
      hasError: false,
      extra: null,
    };
    const added = encoder.add(record, (span.atMs + span.durationMs) * 1_000_000, span.durationMs * 1_000_000);
    if (added !== "added") throw new Error(`the span was ${added}`);
  }
  const hex = (value: number): string => value.toString(16).padStart(8, "0");
  return {
    frame: Buffer.from(encoder.take(1).subarray(MESSAGE_HEADER_BYTES)),
    summary: {
      traceId: `${hex(0)}${hex(0)}${hex(1)}${hex(number)}`,
      rootSpanId: `${hex(number)}${hex(root.id)}`,
      app: "shop",
      instance: "i1",
      action: root.name,
      kind: "web",
      startUnixMs,
      durationUs: root.durationMs * 1_000,
      status: 200,
      error: false,
      spans: spans.length,
      reason: "slow",
      ...changes,
    },
  };
}
