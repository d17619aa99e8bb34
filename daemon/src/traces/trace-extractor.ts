import {
  type AttributeValue,
  decodeSpans,
  decodeSpansHeader,
  FINGERPRINT_KEY,
  MESSAGE_HEADER_BYTES,
  parseSpanExtra,
  type RepeatedCall,
  type SlotType,
  SpanEncoder,
  type SpanExtra,
  type SpanRecord,
  type SpanView,
  TraceEntry,
} from "@apm-daemon/protocol";
import type { Operation } from "../aggregate/operation.ts";
import { RequestTime, type TimeUse } from "../why-slow/request-time.ts";
import { RepeatedCalls } from "./repeated-calls.ts";
import { SpanStatements, type StatementTexts } from "./span-statements.ts";
import { MAX_SPANS_PER_TRACE } from "./trace-keeper.ts";

/** Where the frames of kept traces are read back. */
export interface FrameArchive {
  readFrame(position: number): Buffer;
  endReading(): void;
}

/** Which spans to read back, and the positions of the frames that hold them. */
export interface WantedTrace {
  summary: { readonly traceId: string; readonly rootSpanId: string };
  positions: readonly number[];
}

/** What was found of one trace. */
export interface ExtractedTrace {
  /** SPANS payload. */
  frame: Uint8Array;
  repeats: RepeatedCall[];
  /** Where its time went; null when the entry span is not there. */
  use: TimeUse | null;
}

/** Bytes kept of one trace at most. */
const MAX_TRACE_BYTES = 262_144;

/**
 * Reads the spans of kept traces back from the journal, in the order of `traces`; null for a trace none of whose spans could
 * be read any more. Frames shared by several traces are decoded once. Calls to databases get
 * their statement's fingerprint.
 */
export function extractTraces(
  archive: FrameArchive,
  traces: readonly WantedTrace[],
  texts: StatementTexts = "shown",
): (ExtractedTrace | null)[] {
  const encoder = new SpanEncoder(MAX_TRACE_BYTES);
  const statements = new SpanStatements(texts);
  const collections = traces.map(
    ({ summary }) => new SpanCollection(encoder, statements, summary.traceId, summary.rootSpanId),
  );
  const wanted = new Map<number, Map<string, SpanCollection>>();
  traces.forEach(({ summary, positions }, i) => {
    for (const position of positions) {
      const byRoot = wanted.get(position) ?? new Map<string, SpanCollection>();
      wanted.set(position, byRoot.set(summary.rootSpanId, collections[i] as SpanCollection));
    }
  });
  try {
    for (const [position, byRoot] of [...wanted].sort(([a], [b]) => a - b))
      collectFrame(archive, position, byRoot);
  } finally {
    archive.endReading();
  }
  return collections.map((collection) => collection.extracted());
}

function collectFrame(
  archive: FrameArchive,
  position: number,
  byRoot: ReadonlyMap<string, SpanCollection>,
): void {
  let payload: Buffer;
  try {
    payload = archive.readFrame(position);
  } catch {
    return; // Gone from the ring: the trace is kept without this part, and its summary says how many spans there were.
  }
  const byTraceIndex: (SpanCollection | null)[] = [];
  try {
    const { baseUnixUs } = decodeSpansHeader(payload);
    decodeSpans(payload, (span) => {
      const { trace } = span;
      const collection = (byTraceIndex[trace.index] ??= byRoot.get(trace.rootSpanId) ?? null);
      collection?.add(span, baseUnixUs);
    });
  } catch {
    // The aggregator met the same malformed frame, and counted it.
  }
}

/** Spans of one trace, copied out of their frames. */
class SpanCollection {
  readonly #encoder: SpanEncoder;
  readonly #statements: SpanStatements;
  readonly #trace: TraceEntry;
  readonly #repeated = new RepeatedCalls();
  readonly #time = new RequestTime();
  readonly #spans: { record: SpanRecord; endUnixUs: number; durationNs: number }[] = [];

  constructor(encoder: SpanEncoder, statements: SpanStatements, traceId: string, rootSpanId: string) {
    const word = (hex: string, at: number): number => Number.parseInt(hex.slice(at, at + 8), 16);
    this.#encoder = encoder;
    this.#statements = statements;
    this.#trace = new TraceEntry(
      word(traceId, 0),
      word(traceId, 8),
      word(traceId, 16),
      word(traceId, 24),
      word(rootSpanId, 0),
      word(rootSpanId, 8),
    );
  }

  add(span: SpanView, baseUnixUs: number): void {
    const operation = this.#statements.operationOf(span);
    // Of all spans, also of those that there is no room for.
    if (operation !== null) this.#repeated.add(span, operation);
    this.#noteTime(span, operation, baseUnixUs + span.endOffsetNs / 1_000);
    // One more for the root, which ends last.
    if (this.#spans.length >= MAX_SPANS_PER_TRACE + (span.isLocalRoot ? 1 : 0)) return;
    this.#spans.push({
      record: this.#copy(span, operation),
      endUnixUs: baseUnixUs + span.endOffsetNs / 1_000,
      durationNs: span.durationNs,
    });
  }

  extracted(): ExtractedTrace | null {
    const frame = this.#encode();
    return frame && { frame, repeats: this.#repeated.list(), use: this.#time.use() };
  }

  #noteTime(span: SpanView, operation: Operation | null, endUs: number): void {
    if (span.isLocalRoot) this.#time.addRoot(span, endUs);
    else if (operation !== null) this.#time.addCall(operation, endUs, span.durationNs / 1_000);
  }

  #encode(): Uint8Array | null {
    if (this.#spans.length === 0) return null;
    const baseUnixUs = Math.floor(Math.min(...this.#spans.map(({ endUnixUs }) => endUnixUs)));
    this.#encoder.begin(baseUnixUs);
    // The root last in time comes first here: should the frame fill up, the root is what must not be missing.
    for (const { record, endUnixUs, durationNs } of this.#spans.toReversed()) {
      if (this.#encoder.add(record, (endUnixUs - baseUnixUs) * 1_000, durationNs) === "full") break;
    }
    return this.#encoder.spans === 0 ? null : this.#encoder.take(0).subarray(MESSAGE_HEADER_BYTES);
  }

  #copy(span: SpanView, operation: Operation | null): SpanRecord {
    const source = span.shape;
    let shape = this.#encoder.shapes.root(source.scope, source.kind);
    const values: AttributeValue[] = [];
    const overflow: Record<string, AttributeValue> = {};
    const put = (key: string, type: SlotType, value: AttributeValue): void => {
      const next = shape.follow(key, type);
      if (next === null) overflow[key] = value;
      else {
        shape = next;
        values.push(value);
      }
    };
    source.keys.forEach((key, i) => {
      if (!this.#statements.isLeftOut(key))
        put(key, source.types[i] ?? 0, source.values[i] as AttributeValue);
    });
    if (operation !== null && operation.fingerprint !== "") put(FINGERPRINT_KEY, 0, operation.fingerprint);
    return {
      shape,
      values,
      name: span.name,
      trace: this.#trace,
      idHi: span.idHi,
      idLo: span.idLo,
      parentHi: span.parentHi,
      parentLo: span.parentLo,
      isLocalRoot: span.isLocalRoot,
      hasRemoteParent: span.hasRemoteParent,
      hasError: span.hasError,
      extra: this.#extraWith(span.extraJson, overflow),
    };
  }

  #extraWith(extraJson: string, overflow: Record<string, AttributeValue>): SpanExtra | null {
    const hasOverflow = Object.keys(overflow).length > 0;
    if (extraJson === "" && !hasOverflow) return null;
    const extra = this.#statements.extraOf(parseSpanExtra(extraJson));
    return hasOverflow ? { ...extra, attributes: { ...extra.attributes, ...overflow } } : extra;
  }
}
