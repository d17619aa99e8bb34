/**
 * Encodes ended spans into the current SPANS frame; the layout is in span-frame.ts. Hot path of every app:
 * nothing is allocated per span, tables are reset by raising one epoch, numbers go through one DataView-backed Buffer.
 */
import { ProtocolError } from "./errors.ts";
import { FRAME_BYTES, MAX_FRAME_TABLE_ENTRIES, MAX_MESSAGE_BYTES } from "./limits.ts";
import { MESSAGE_HEADER_BYTES, MessageType, writeMessageHeader, writeSequence } from "./message.ts";
import { type AttributeValue, type Shape, ShapeTree } from "./shape.ts";
import type { SpanExtra } from "./span-extra.ts";
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
  MAX_U32,
  PARENT_IS_ROOT,
  REMOTE_PARENT,
  SPANS_HEADER_BYTES,
  type TraceEntry,
} from "./span-frame.ts";

/** A span as the encoder reads it; agents let their span class have these fields. */
export interface SpanRecord {
  readonly shape: Shape;
  /** Slot i belongs to shape.keys[i] and has its type. */
  readonly values: readonly AttributeValue[];
  readonly name: string;
  readonly trace: TraceEntry;
  readonly idHi: number;
  readonly idLo: number;
  /** Both 0: no parent. */
  readonly parentHi: number;
  readonly parentLo: number;
  readonly isLocalRoot: boolean;
  readonly hasRemoteParent: boolean;
  readonly hasError: boolean;
  readonly extra: SpanExtra | null;
}

const PAYLOAD_START = MESSAGE_HEADER_BYTES;
const ENTRIES_START = PAYLOAD_START + SPANS_HEADER_BYTES;
/** Longest string that is written; agents truncate far earlier. */
const MAX_STRING_CHARS = 16_384;
/** Below this an own loop is faster than a call into Buffer (24 characters measured as the crossing). */
const SHORT_STRING_CHARS = 24;
const INLINE_AFTER_MISSES = 64;
/** Buffers kept for the next frames; a frame is written and acknowledged long before that many more are full. */
export const MAX_POOLED_BUFFERS = 4;
/** Tag, shape and trace, ids, times, mask, name's number; trace entry. */
const SPAN_FIXED_BYTES = 1 + 4 + 16 + 16 + 17 + 2 + 25;

/** Epochs are counted for all encoders, since traces and spans outlive an encoder that is replaced. */
let epochs = 0;
function nextEpoch(): number {
  return ++epochs;
}

export class SpanEncoder {
  readonly shapes: ShapeTree = new ShapeTree();
  readonly #changed = new Uint8Array(256);
  #strings = new Map<string, number>();
  readonly #pool: Buffer[] = [];
  readonly #frameBytes: number;
  readonly #mayGrow: (bytes: number) => boolean;
  #buffer: Buffer;
  #at = ENTRIES_START;
  #epoch = nextEpoch();
  #spans = 0;
  #shapeCount = 0;
  #traceCount = 0;
  #baseUnixUs = 0;

  /**
   * `frameBytes`: size of a frame's buffer; a frame is full when the next span might not fit. `mayGrow`: asked before a
   * larger buffer is made for a single span.
   */
  constructor(frameBytes: number = FRAME_BYTES, mayGrow: (bytes: number) => boolean = () => true) {
    this.#frameBytes = frameBytes;
    this.#mayGrow = mayGrow;
    this.#buffer = Buffer.allocUnsafeSlow(frameBytes);
  }

  /** Spans in the current frame. */
  get spans(): number {
    return this.#spans;
  }

  /** Bytes of the current frame so far, as a whole message. */
  get bytes(): number {
    return this.#at;
  }

  /** Memory of the current frame and of buffers kept for the next ones. */
  get bufferBytes(): number {
    return this.#buffer.length + this.#pool.length * this.#frameBytes;
  }

  get baseUnixUs(): number {
    return this.#baseUnixUs;
  }

  /** Sets the time base of a frame that has no spans yet. */
  begin(baseUnixUs: number): void {
    this.#baseUnixUs = baseUnixUs;
  }

  /**
   * Adds an ended span. `endOffsetNs` counts from the frame's base; times are brought into 0 … 2^53 - 1.
   * "full": take() the frame, begin() the next, add again. "too_large": the span alone exceeds a message, "no_room": it needs
   * a buffer that may not be made; drop and count it.
   */
  add(span: SpanRecord, endOffsetNs: number, durationNs: number): "added" | "full" | "too_large" | "no_room" {
    const extra = span.extra === null ? null : JSON.stringify(span.extra);
    const neededBytes = this.#markChanges(span) + (extra === null ? 0 : 4 + extra.length * 3);
    if (this.#at + neededBytes > this.#buffer.length || this.#tablesFull(span)) {
      if (this.#spans > 0) return "full";
      if (ENTRIES_START + neededBytes > MAX_MESSAGE_BYTES) return "too_large";
      if (ENTRIES_START + neededBytes > this.#buffer.length) {
        if (!this.#mayGrow(ENTRIES_START + neededBytes)) return "no_room";
        this.#buffer = Buffer.allocUnsafeSlow(ENTRIES_START + neededBytes);
      }
    }
    this.#define(span);
    this.#write(span, Math.max(endOffsetNs, 0), Math.max(durationNs, 0), extra);
    this.#spans++;
    return "added";
  }

  /**
   * Ends the frame and gives it the sequence number. The result is a whole message; the caller owns it and may give
   * it back with recycle(). Throws when there is no span in it.
   */
  take(sequence: number): Buffer {
    if (this.#spans === 0)
      throw new ProtocolError("FRAME_MALFORMED", "a SPANS frame needs at least one span");
    const buffer = this.#buffer;
    writeMessageHeader(buffer, MessageType.spans, this.#at - PAYLOAD_START);
    writeSequence(buffer, PAYLOAD_START, sequence);
    writeSequence(buffer, PAYLOAD_START + 8, this.#baseUnixUs);
    buffer.writeUInt32LE(this.#spans, PAYLOAD_START + 16);
    const isWorthKeeping = this.#at * 2 > buffer.length;
    // Small messages get memory of their own: a view of Buffer's pool could come back through recycle().
    const message = isWorthKeeping
      ? buffer.subarray(0, this.#at)
      : Buffer.from(buffer.buffer.slice(0, this.#at));
    if (isWorthKeeping || buffer.length !== this.#frameBytes)
      this.#buffer = this.#pool.pop() ?? Buffer.allocUnsafeSlow(this.#frameBytes);
    this.#reset();
    return message;
  }

  /** Takes a message back whose bytes nobody needs any more. */
  recycle(message: Buffer): void {
    if (
      message.buffer.byteLength === this.#frameBytes &&
      message.byteOffset === 0 &&
      this.#pool.length < MAX_POOLED_BUFFERS
    ) {
      this.#pool.push(Buffer.from(message.buffer, 0, this.#frameBytes));
    }
  }

  #reset(): void {
    this.#at = ENTRIES_START;
    this.#epoch = nextEpoch();
    this.#spans = 0;
    this.#shapeCount = 0;
    this.#traceCount = 0;
    // Not clear(): V8 keeps what follows a cleared Map alive until the next full collection, see agent-lib/src/open-list.ts.
    this.#strings = new Map();
  }

  /** Finds what differs from the shape's previous span; answers an upper bound of the bytes that the span needs. */
  #markChanges(span: SpanRecord): number {
    const shape = span.shape;
    const values = span.values;
    const last = shape.lastValues;
    const changed = this.#changed;
    const isNew = shape.epoch !== this.#epoch;
    let bytes = SPAN_FIXED_BYTES;
    if (isNew) bytes += this.#shapeBytes(shape);
    if (isNew || span.name !== shape.lastName) {
      changed[0] = 1;
      bytes += 3 + Math.min(span.name.length, MAX_STRING_CHARS) * 3;
    } else changed[0] = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as AttributeValue;
      // An array may have been changed in place since.
      if (!isNew && value === last[i] && typeof value !== "object") {
        changed[i + 1] = 0;
        continue;
      }
      changed[i + 1] = 1;
      // A string costs at most its definition (3 + text) and its number (2); other values at most 8.
      if (typeof value === "string") bytes += 7 + Math.min(value.length, MAX_STRING_CHARS) * 3;
      else bytes += typeof value === "object" ? 4 + JSON.stringify(value).length * 3 : 8;
    }
    return bytes;
  }

  #shapeBytes(shape: Shape): number {
    let bytes = 8 + 3 + shape.scope.length * 3;
    for (const key of shape.keys) bytes += 3 + 3 + key.length * 3;
    return bytes;
  }

  #tablesFull(span: SpanRecord): boolean {
    const room = MAX_FRAME_TABLE_ENTRIES - 1;
    return (
      this.#strings.size + 2 * span.values.length + 2 > room ||
      this.#shapeCount >= room ||
      this.#traceCount >= room
    );
  }

  /** Writes the definitions that the span needs before it. */
  #define(span: SpanRecord): void {
    const { shape, trace, values } = span;
    const changed = this.#changed;
    if (trace.epoch !== this.#epoch) this.#defineTrace(trace);
    if (shape.epoch !== this.#epoch) this.#defineShape(shape);
    if (changed[0] === 1) this.#intern(span.name);
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (changed[i + 1] === 0 || typeof value !== "string") continue;
      const misses = shape.misses[i] ?? 0;
      if (misses >= INLINE_AFTER_MISSES) continue;
      if (this.#strings.has(value)) shape.misses[i] = 0;
      else {
        shape.misses[i] = misses + 1;
        this.#intern(value);
      }
    }
  }

  #defineTrace(trace: TraceEntry): void {
    const buffer = this.#buffer;
    let at = this.#at;
    buffer[at] = ENTRY_TRACE;
    at = writeId(buffer, at + 1, trace.t0, trace.t1);
    at = writeId(buffer, at, trace.t2, trace.t3);
    this.#at = writeId(buffer, at, trace.rootHi, trace.rootLo);
    trace.epoch = this.#epoch;
    trace.index = this.#traceCount++;
  }

  #defineShape(shape: Shape): void {
    const scope = this.#intern(shape.scope);
    for (const key of shape.keys) this.#intern(key);
    const buffer = this.#buffer;
    let at = this.#at;
    buffer[at] = ENTRY_SHAPE;
    buffer[at + 1] = shape.kind;
    buffer.writeUInt16LE(scope, at + 2);
    buffer[at + 4] = shape.keys.length;
    at += 5;
    for (let i = 0; i < shape.keys.length; i++) {
      buffer.writeUInt16LE(this.#strings.get(shape.keys[i] ?? "") ?? 0, at);
      buffer[at + 2] = shape.types[i] ?? 0;
      at += 3;
      // Texts that did not repeat get another chance in each frame, half as long as before.
      shape.misses[i] = (shape.misses[i] ?? 0) >> 1;
    }
    this.#at = at;
    shape.epoch = this.#epoch;
    shape.index = this.#shapeCount++;
  }

  /** Number of a string in this frame; defines it if it is new. */
  #intern(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const index = this.#strings.size;
    this.#strings.set(text, index);
    this.#buffer[this.#at] = ENTRY_STRING;
    const bytes = this.#writeText(text, this.#at + 3);
    this.#buffer.writeUInt16LE(bytes, this.#at + 1);
    this.#at += 3 + bytes;
    return index;
  }

  #write(span: SpanRecord, endOffsetNs: number, durationNs: number, extra: string | null): void {
    const buffer = this.#buffer;
    const { shape, trace } = span;
    const isLong = durationNs > MAX_U32 || endOffsetNs > MAX_U32;
    const hasParent = span.parentHi !== 0 || span.parentLo !== 0;
    const isParentRoot =
      hasParent && !span.isLocalRoot && span.parentHi === trace.rootHi && span.parentLo === trace.rootLo;
    buffer[this.#at] =
      ENTRY_SPAN |
      (span.isLocalRoot ? LOCAL_ROOT : 0) |
      (span.hasRemoteParent ? REMOTE_PARENT : 0) |
      (isParentRoot ? PARENT_IS_ROOT : hasParent ? EXPLICIT_PARENT : 0) |
      (span.hasError ? ERROR : 0) |
      (isLong ? LONG_TIMES : 0) |
      (extra === null ? 0 : EXTRA);
    let at = this.#at + 1;
    at = writeU16(buffer, at, shape.index);
    at = writeU16(buffer, at, trace.index);
    if (!span.isLocalRoot) at = writeId(buffer, at, span.idHi, span.idLo);
    if (hasParent && !isParentRoot) at = writeId(buffer, at, span.parentHi, span.parentLo);
    if (isLong) at = writeLongTime(buffer, writeLongTime(buffer, at, endOffsetNs), durationNs);
    else at = writeU32(buffer, writeU32(buffer, at, endOffsetNs), durationNs);
    this.#at = this.#writeMask(at, shape.keys.length + 1);
    this.#writeValues(span);
    if (extra !== null) this.#writeJson(extra);
  }

  #writeMask(at: number, bits: number): number {
    const changed = this.#changed;
    let next = at;
    for (let from = 0; from < bits; from += 8) {
      let mask = 0;
      const to = Math.min(from + 8, bits);
      for (let bit = from; bit < to; bit++) mask |= (changed[bit] as number) << (bit - from);
      this.#buffer[next++] = mask;
    }
    return next;
  }

  #writeValues(span: SpanRecord): void {
    const { shape, values } = span;
    const changed = this.#changed;
    if (changed[0] === 1) {
      this.#at = writeU16(this.#buffer, this.#at, this.#strings.get(span.name) ?? 0);
      shape.lastName = span.name;
    }
    for (let i = 0; i < values.length; i++) {
      if (changed[i + 1] === 0) continue;
      const value = values[i] as AttributeValue;
      if (typeof value === "string") this.#writeString(value);
      else if (typeof value === "number") this.#writeNumber(value, shape.types[i] === 1);
      else if (typeof value === "boolean") this.#buffer[this.#at++] = value ? 1 : 0;
      else this.#writeJson(JSON.stringify(value));
      shape.lastValues[i] = value;
    }
  }

  #writeString(value: string): void {
    const known = this.#strings.get(value);
    if (known !== undefined) {
      this.#at = writeU16(this.#buffer, this.#at, known);
      return;
    }
    const at = writeU16(this.#buffer, this.#at, INLINE_STRING);
    const bytes = this.#writeText(value, at + 2);
    writeU16(this.#buffer, at, bytes);
    this.#at = at + 2 + bytes;
  }

  #writeNumber(value: number, isInteger: boolean): void {
    if (isInteger) this.#at = writeU32(this.#buffer, this.#at, value);
    else this.#at = this.#buffer.writeDoubleLE(value, this.#at);
  }

  #writeJson(json: string): void {
    const bytes = this.#buffer.write(json, this.#at + 4, "utf8");
    writeU32(this.#buffer, this.#at, bytes);
    this.#at += 4 + bytes;
  }

  /** Writes UTF-8 at an offset; answers its bytes. */
  #writeText(text: string, at: number): number {
    const buffer = this.#buffer;
    const length = text.length;
    if (length >= SHORT_STRING_CHARS)
      return buffer.write(length > MAX_STRING_CHARS ? text.slice(0, MAX_STRING_CHARS) : text, at, "utf8");
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return buffer.write(text, at, "utf8");
      buffer[at + i] = code;
    }
    return length;
  }
}

function writeId(buffer: Buffer, at: number, hi: number, lo: number): number {
  buffer[at] = hi >>> 24;
  buffer[at + 1] = hi >>> 16;
  buffer[at + 2] = hi >>> 8;
  buffer[at + 3] = hi;
  buffer[at + 4] = lo >>> 24;
  buffer[at + 5] = lo >>> 16;
  buffer[at + 6] = lo >>> 8;
  buffer[at + 7] = lo;
  return at + 8;
}

function writeLongTime(buffer: Buffer, at: number, ns: number): number {
  return buffer.writeDoubleLE(Math.min(ns, Number.MAX_SAFE_INTEGER), at);
}

function writeU16(buffer: Buffer, at: number, value: number): number {
  buffer[at] = value;
  buffer[at + 1] = value >>> 8;
  return at + 2;
}

function writeU32(buffer: Buffer, at: number, value: number): number {
  buffer[at] = value;
  buffer[at + 1] = value >>> 8;
  buffer[at + 2] = value >>> 16;
  buffer[at + 3] = value >>> 24;
  return at + 4;
}
