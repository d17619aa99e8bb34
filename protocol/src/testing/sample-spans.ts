/** Plain spans for tests, and the way from them to the encoder and back from the decoder. */
import type { AttributeValue, Shape } from "../shape.ts";
import { slotTypeOf } from "../shape.ts";
import { decodeSpans, type SpansHeader, type SpanView } from "../span-decoder.ts";
import { SpanEncoder, type SpanRecord } from "../span-encoder.ts";
import { parseSpanExtra, type SpanExtra } from "../span-extra.ts";
import { TraceEntry } from "../span-frame.ts";

export interface SampleSpan {
  scope: string;
  kind: number;
  name: string;
  /** Hex, as are the span ids. */
  traceId: string;
  rootSpanId: string;
  /** Equal to rootSpanId for the local root. */
  spanId: string;
  /** "" for none. */
  parentSpanId: string;
  isLocalRoot: boolean;
  hasRemoteParent: boolean;
  hasError: boolean;
  endOffsetNs: number;
  durationNs: number;
  attributes: [key: string, value: AttributeValue][];
  extra: SpanExtra | null;
}

/** A span without attributes under a local root, changed where a test says so. */
export function sampleSpan(changes: Partial<SampleSpan> = {}): SampleSpan {
  return {
    scope: "pg",
    kind: 2,
    name: "SELECT",
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    rootSpanId: "00f067aa0ba902b7",
    spanId: "b7ad6b7169203331",
    parentSpanId: "00f067aa0ba902b7",
    isLocalRoot: false,
    hasRemoteParent: false,
    hasError: false,
    endOffsetNs: 1_000_000,
    durationNs: 500_000,
    attributes: [],
    extra: null,
    ...changes,
  };
}

/** A SpanEncoder that takes sample spans. */
export class SampleEncoder {
  readonly encoder: SpanEncoder;
  readonly #traces = new Map<string, TraceEntry>();

  constructor(frameBytes?: number) {
    this.encoder = new SpanEncoder(frameBytes);
  }

  add(sample: SampleSpan): ReturnType<SpanEncoder["add"]> {
    return this.encoder.add(this.record(sample), sample.endOffsetNs, sample.durationNs);
  }

  record(sample: SampleSpan): SpanRecord {
    let shape: Shape = this.encoder.shapes.root(sample.scope, sample.kind);
    for (const [key, value] of sample.attributes) {
      const next = shape.follow(key, slotTypeOf(value));
      if (next === null) throw new Error(`no shape has room for ${sample.attributes.length} attributes`);
      shape = next;
    }
    return {
      shape,
      values: sample.attributes.map(([, value]) => value),
      name: sample.name,
      trace: this.#traceOf(sample),
      idHi: half(sample.spanId, 0),
      idLo: half(sample.spanId, 1),
      parentHi: half(sample.parentSpanId, 0),
      parentLo: half(sample.parentSpanId, 1),
      isLocalRoot: sample.isLocalRoot,
      hasRemoteParent: sample.hasRemoteParent,
      hasError: sample.hasError,
      extra: sample.extra,
    };
  }

  #traceOf({ traceId, rootSpanId }: SampleSpan): TraceEntry {
    const known = this.#traces.get(traceId + rootSpanId);
    if (known !== undefined) return known;
    const [t0, t1, t2, t3] = [half(traceId, 0), half(traceId, 1), half(traceId, 2), half(traceId, 3)];
    const trace = new TraceEntry(t0, t1, t2, t3, half(rootSpanId, 0), half(rootSpanId, 1));
    this.#traces.set(traceId + rootSpanId, trace);
    return trace;
  }
}

/** What the decoder makes of a SPANS payload. */
export function readSamples(payload: Buffer): { header: SpansHeader; spans: SampleSpan[] } {
  const spans: SampleSpan[] = [];
  const header = decodeSpans(payload, (view) => spans.push(sampleOf(view)));
  return { header, spans };
}

function sampleOf(view: SpanView): SampleSpan {
  const { shape, trace } = view;
  const hasParent = view.parentHi !== 0 || view.parentLo !== 0;
  return {
    scope: shape.scope,
    kind: shape.kind,
    name: view.name,
    traceId: trace.traceId,
    rootSpanId: trace.rootSpanId,
    spanId: hex(view.idHi) + hex(view.idLo),
    parentSpanId: hasParent ? hex(view.parentHi) + hex(view.parentLo) : "",
    isLocalRoot: view.isLocalRoot,
    hasRemoteParent: view.hasRemoteParent,
    hasError: view.hasError,
    endOffsetNs: view.endOffsetNs,
    durationNs: view.durationNs,
    attributes: shape.keys.map((key, slot) => [key, shape.values[slot] ?? ""]),
    extra: view.extraJson === "" ? null : parseSpanExtra(view.extraJson),
  };
}

function half(id: string, part: number): number {
  return id === "" ? 0 : Number.parseInt(id.slice(part * 8, part * 8 + 8), 16);
}

function hex(half: number): string {
  return half.toString(16).padStart(8, "0");
}
