import {
  type AttributeValue,
  MESSAGE_HEADER_BYTES,
  SpanEncoder,
  type SpanExtra,
  slotTypeOf,
  TraceEntry,
} from "@apm-daemon/protocol";

/** OpenTelemetry's span kinds as the wire has them. */
export const KIND = { internal: 0, server: 1, client: 2, producer: 3, consumer: 4 } as const;

export interface TestSpan {
  /** Span id of the local root this span belongs to, 16 hex digits. */
  root: string;
  /** 16 hex digits; the root's own for the root. */
  id: string;
  /** 16 hex digits; default: the root. */
  parent?: string;
  /** 32 hex digits; default: made from the root's. */
  traceId?: string;
  name: string;
  kind: number;
  endUnixUs: number;
  durationUs: number;
  hasError?: boolean;
  attributes?: Record<string, AttributeValue>;
  extra?: SpanExtra;
}

/** Writes spans into frames with the agents' own encoder; numbers the frames from 1. */
export class FrameWriter {
  readonly #encoder = new SpanEncoder(1_000_000);
  #sequence = 0;

  get lastSequence(): number {
    return this.#sequence;
  }

  nextSequence(): number {
    return ++this.#sequence;
  }

  /** A whole SPANS message. The frame's base is the earliest end. */
  message(spans: readonly TestSpan[]): Buffer {
    const baseUnixUs = Math.floor(Math.min(...spans.map(({ endUnixUs }) => endUnixUs)));
    this.#encoder.begin(baseUnixUs);
    for (const span of spans) {
      const result = this.#encoder.add(
        this.#record(span),
        Math.round((span.endUnixUs - baseUnixUs) * 1_000),
        Math.round(span.durationUs * 1_000),
      );
      if (result !== "added") throw new Error(`the span is ${result}`);
    }
    return Buffer.from(this.#encoder.take(this.nextSequence()));
  }

  /** The SPANS payload alone, as it is journaled. */
  payload(spans: readonly TestSpan[]): Buffer {
    return this.message(spans).subarray(MESSAGE_HEADER_BYTES);
  }

  #record(span: TestSpan): Parameters<SpanEncoder["add"]>[0] {
    const attributes = Object.entries(span.attributes ?? {});
    let shape = this.#encoder.shapes.root("test", span.kind);
    for (const [key, value] of attributes) {
      const next = shape.follow(key, slotTypeOf(value));
      if (next === null) throw new Error("too many shapes");
      shape = next;
    }
    const traceId = span.traceId ?? span.root + span.root;
    const isLocalRoot = span.id === span.root;
    const parent = isLocalRoot ? spanId(0) : (span.parent ?? span.root);
    return {
      shape,
      values: attributes.map(([, value]) => value),
      name: span.name,
      trace: new TraceEntry(
        word(traceId, 0),
        word(traceId, 1),
        word(traceId, 2),
        word(traceId, 3),
        word(span.root, 0),
        word(span.root, 1),
      ),
      idHi: word(span.id, 0),
      idLo: word(span.id, 1),
      parentHi: word(parent, 0),
      parentLo: word(parent, 1),
      isLocalRoot,
      hasRemoteParent: false,
      hasError: span.hasError ?? false,
      extra: span.extra ?? null,
    };
  }
}

/** 16 hex digits for a small number. */
export function spanId(number: number): string {
  return number.toString(16).padStart(16, "0");
}

function word(hex: string, index: number): number {
  return Number.parseInt(hex.slice(index * 8, index * 8 + 8), 16);
}
