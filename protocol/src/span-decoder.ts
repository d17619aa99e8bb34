/** Reads SPANS payloads; the layout is in span-frame.ts. One view object serves all spans of a frame. */
import { ProtocolError } from "./errors.ts";
import { MAX_FRAME_TABLE_ENTRIES } from "./limits.ts";
import { type AttributeValue, isAttributeValue, type SlotType } from "./shape.ts";
import {
  ENTRY_SHAPE,
  ENTRY_SPAN,
  ENTRY_STRING,
  ENTRY_TRACE,
  ERROR,
  EXPLICIT_PARENT,
  EXTRA,
  INLINE_STRING,
  LOCAL_ROOT,
  LONG_TIMES,
  PARENT_IS_ROOT,
  REMOTE_PARENT,
  SPANS_HEADER_BYTES,
} from "./span-frame.ts";

/** What a slot has, by its type, as long as no span of the shape set it. */
const ZEROS: Readonly<Record<SlotType, AttributeValue>> = { 0: "", 1: 0, 2: 0, 3: false, 4: [] };

export class DecodedShape {
  /** Number in its frame; use it to look up what was worked out for the shape once. */
  readonly index: number;
  readonly scope: string;
  readonly kind: number;
  readonly keys: readonly string[];
  readonly types: readonly SlotType[];
  /** Values of the span being visited. */
  readonly values: AttributeValue[];
  name = "";

  constructor(index: number, scope: string, kind: number, keys: string[], types: SlotType[]) {
    this.index = index;
    this.scope = scope;
    this.kind = kind;
    this.keys = keys;
    this.types = types;
    this.values = types.map((type) => ZEROS[type]);
  }
}

export class DecodedTrace {
  readonly index: number;
  readonly rootHi: number;
  readonly rootLo: number;
  readonly #payload: Buffer;
  readonly #at: number;

  constructor(index: number, payload: Buffer, at: number) {
    this.index = index;
    this.#payload = payload;
    this.#at = at;
    this.rootHi = payload.readUInt32BE(at + 16);
    this.rootLo = payload.readUInt32BE(at + 20);
  }

  /** 32 hex digits. Valid while the payload is. */
  get traceId(): string {
    return this.#payload.toString("hex", this.#at, this.#at + 16);
  }

  /** 16 hex digits. Valid while the payload is. */
  get rootSpanId(): string {
    return this.#payload.toString("hex", this.#at + 16, this.#at + 24);
  }
}

/** A span during its visit; the next visit overwrites it, and `shape.values` too. Ids are unsigned 32-bit halves. */
export interface SpanView {
  shape: DecodedShape;
  trace: DecodedTrace;
  name: string;
  idHi: number;
  idLo: number;
  parentHi: number;
  parentLo: number;
  isLocalRoot: boolean;
  hasRemoteParent: boolean;
  hasError: boolean;
  /** ns after the frame's base. */
  endOffsetNs: number;
  durationNs: number;
  /** JSON of SpanExtra, "" for none; parse with parseSpanExtra. */
  extraJson: string;
}

export interface SpansHeader {
  sequence: number;
  baseUnixUs: number;
  spans: number;
}

/** The fixed head of a SPANS payload, without reading its entries. Throws FRAME_MALFORMED. */
export function decodeSpansHeader(payload: Buffer): SpansHeader {
  if (payload.length < SPANS_HEADER_BYTES)
    throw malformed("the frame is shorter than its head", payload.length);
  return { sequence: readU53(payload, 0), baseUnixUs: readU53(payload, 8), spans: payload.readUInt32LE(16) };
}

/**
 * Visits every span of a SPANS payload in order. Throws FRAME_MALFORMED at the first byte that breaks the layout; the
 * spans before it were visited. What `visit` itself throws passes through.
 */
export function decodeSpans(payload: Buffer, visit: (span: SpanView) => void): SpansHeader {
  const header = decodeSpansHeader(payload);
  const reader = new EntryReader(payload);
  let spans = 0;
  while (reader.nextSpan()) {
    spans++;
    visit(reader.view);
  }
  if (spans !== header.spans)
    throw malformed(`the frame has ${spans} spans, its head says ${header.spans}`, payload.length);
  return header;
}

class EntryReader {
  readonly #payload: Buffer;
  readonly #strings: string[] = [];
  readonly #shapes: DecodedShape[] = [];
  readonly #traces: DecodedTrace[] = [];
  #at = SPANS_HEADER_BYTES;
  readonly view: SpanView;

  constructor(payload: Buffer) {
    this.#payload = payload;
    this.view = {
      shape: new DecodedShape(0, "", 0, [], []),
      trace: NO_TRACE,
      name: "",
      idHi: 0,
      idLo: 0,
      parentHi: 0,
      parentLo: 0,
      isLocalRoot: false,
      hasRemoteParent: false,
      hasError: false,
      endOffsetNs: 0,
      durationNs: 0,
      extraJson: "",
    };
  }

  /** Reads entries up to and with the next span; false at the end. Out-of-bounds reads become FRAME_MALFORMED. */
  nextSpan(): boolean {
    try {
      while (this.#at < this.#payload.length) {
        const tag = this.#payload[this.#at++] as number;
        if (tag >= ENTRY_SPAN) {
          this.#readSpan(tag);
          return true;
        }
        if (tag === ENTRY_STRING) this.#readString();
        else if (tag === ENTRY_TRACE) this.#readTrace();
        else if (tag === ENTRY_SHAPE) this.#readShape();
        else throw malformed(`unknown entry ${tag}`, this.#at - 1);
      }
      return false;
    } catch (error) {
      if (error instanceof RangeError) throw malformed("an entry reaches beyond the frame", this.#at);
      throw error;
    }
  }

  #readString(): void {
    this.#checkRoom(this.#strings);
    this.#strings.push(this.#readText(this.#u16()));
  }

  #readTrace(): void {
    this.#checkRoom(this.#traces);
    this.#traces.push(new DecodedTrace(this.#traces.length, this.#payload, this.#at));
    this.#at += 24;
  }

  #readShape(): void {
    this.#checkRoom(this.#shapes);
    const kind = this.#u8();
    const scope = this.#string(this.#u16());
    const slots = this.#u8();
    const keys: string[] = [];
    const types: SlotType[] = [];
    for (let i = 0; i < slots; i++) {
      keys.push(this.#string(this.#u16()));
      const type = this.#u8();
      if (type > 4) throw malformed(`unknown value type ${type}`, this.#at - 1);
      types.push(type as SlotType);
    }
    this.#shapes.push(new DecodedShape(this.#shapes.length, scope, kind, keys, types));
  }

  #checkRoom(table: readonly unknown[]): void {
    if (table.length >= MAX_FRAME_TABLE_ENTRIES)
      throw malformed(`a table has more than ${MAX_FRAME_TABLE_ENTRIES} entries`, this.#at);
  }

  #readSpan(tag: number): void {
    const view = this.view;
    const shape = this.#shapes[this.#u16()];
    const trace = this.#traces[this.#u16()];
    if (shape === undefined || trace === undefined)
      throw malformed("a span names a shape or trace that was not defined", this.#at);
    view.shape = shape;
    view.trace = trace;
    view.isLocalRoot = (tag & LOCAL_ROOT) !== 0;
    view.hasRemoteParent = (tag & REMOTE_PARENT) !== 0;
    view.hasError = (tag & ERROR) !== 0;
    this.#readIds(view, tag);
    const isLong = (tag & LONG_TIMES) !== 0;
    view.endOffsetNs = isLong ? this.#longTime() : this.#u32();
    view.durationNs = isLong ? this.#longTime() : this.#u32();
    this.#readValues(shape);
    view.name = shape.name;
    view.extraJson = (tag & EXTRA) === 0 ? "" : this.#readText(this.#u32());
  }

  #readIds(view: SpanView, tag: number): void {
    const trace = view.trace;
    if (view.isLocalRoot) {
      view.idHi = trace.rootHi;
      view.idLo = trace.rootLo;
    } else {
      view.idHi = this.#idHalf();
      view.idLo = this.#idHalf();
    }
    if ((tag & PARENT_IS_ROOT) !== 0) {
      view.parentHi = trace.rootHi;
      view.parentLo = trace.rootLo;
    } else if ((tag & EXPLICIT_PARENT) !== 0) {
      view.parentHi = this.#idHalf();
      view.parentLo = this.#idHalf();
    } else {
      view.parentHi = 0;
      view.parentLo = 0;
    }
  }

  #readValues(shape: DecodedShape): void {
    const maskAt = this.#at;
    const slots = shape.keys.length;
    this.#at += (slots + 8) >> 3;
    if (this.#at > this.#payload.length) throw malformed("a change mask reaches beyond the frame", maskAt);
    if (((this.#payload[maskAt] as number) & 1) !== 0) shape.name = this.#string(this.#u16());
    for (let i = 0; i < slots; i++) {
      const bit = i + 1;
      if ((((this.#payload[maskAt + (bit >> 3)] as number) >> (bit & 7)) & 1) !== 0)
        shape.values[i] = this.#value(shape.types[i]);
    }
  }

  #value(type: SlotType | undefined): AttributeValue {
    if (type === 0) {
      const index = this.#u16();
      return index === INLINE_STRING ? this.#readText(this.#u16()) : this.#string(index);
    }
    if (type === 1) return this.#u32() | 0;
    if (type === 2) return this.#double();
    if (type === 3) return this.#u8() !== 0;
    return parseArray(this.#readText(this.#u32()), this.#at);
  }

  #string(index: number): string {
    const text = this.#strings[index];
    if (text === undefined) throw malformed(`string ${index} was not defined`, this.#at);
    return text;
  }

  #readText(bytes: number): string {
    const end = this.#at + bytes;
    if (end > this.#payload.length) throw malformed("a text reaches beyond the frame", this.#at);
    const text = this.#payload.toString("utf8", this.#at, end);
    this.#at = end;
    return text;
  }

  #u8(): number {
    const value = this.#payload.readUInt8(this.#at);
    this.#at += 1;
    return value;
  }

  #u16(): number {
    const value = this.#payload.readUInt16LE(this.#at);
    this.#at += 2;
    return value;
  }

  #u32(): number {
    const value = this.#payload.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  #idHalf(): number {
    const value = this.#payload.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  #double(): number {
    const value = this.#payload.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  #longTime(): number {
    const value = this.#double();
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER))
      throw malformed("a time is negative or absurd", this.#at - 8);
    return value;
  }
}

const NO_TRACE = new DecodedTrace(0, Buffer.alloc(24), 0);

function parseArray(json: string, at: number): AttributeValue {
  try {
    const value: unknown = JSON.parse(json);
    if (Array.isArray(value) && isAttributeValue(value)) return value;
  } catch {
    // Told below.
  }
  throw malformed("an array value is not a JSON array of texts, numbers, booleans and nulls", at);
}

function readU53(payload: Buffer, at: number): number {
  const value = payload.readUInt32LE(at + 4) * 4_294_967_296 + payload.readUInt32LE(at);
  if (value > Number.MAX_SAFE_INTEGER) throw malformed("a 64-bit number exceeds 2^53", at);
  return value;
}

function malformed(what: string, at: number): ProtocolError {
  return new ProtocolError("FRAME_MALFORMED", `SPANS frame: ${what} (offset ${at})`, { offset: at });
}
