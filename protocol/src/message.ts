/**
 * Messages between agent and daemon on the Unix stream socket.
 *
 *   u32 LE  bytes that follow (type byte and payload), 1 … MAX_MESSAGE_BYTES
 *   u8      type
 *   …       payload
 *
 * The data frames SPANS, RUNTIME, GAP and BYE begin with their sequence number (u64); they share one sequence per
 * instance, starting at 1. A reader skips types that it does not know, and counts them.
 */
import { ProtocolError } from "./errors.ts";
import { MAX_MESSAGE_BYTES } from "./limits.ts";

export const MESSAGE_HEADER_BYTES = 5;

export const MessageType = {
  hello: 1,
  welcome: 2,
  refuse: 3,
  spans: 4,
  runtime: 5,
  gap: 6,
  ack: 7,
  settings: 8,
  bye: 9,
} as const;
export type MessageTypeNumber = (typeof MessageType)[keyof typeof MessageType];

/** A whole message. Throws FRAME_TOO_LARGE. */
export function encodeMessage(type: MessageTypeNumber, payload: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(MESSAGE_HEADER_BYTES + payload.length);
  writeMessageHeader(message, type, payload.length);
  message.set(payload, MESSAGE_HEADER_BYTES);
  return message;
}

/** Writes length and type before a payload that is already in place. Throws FRAME_TOO_LARGE. */
export function writeMessageHeader(message: Buffer, type: MessageTypeNumber, payloadBytes: number): void {
  checkLength(payloadBytes + 1, MAX_MESSAGE_BYTES);
  message.writeUInt32LE(payloadBytes + 1, 0);
  message[4] = type;
}

/** Sequence number of a data frame's payload. Throws FRAME_MALFORMED. */
export function sequenceOf(payload: Buffer): number {
  if (payload.length < 8)
    throw new ProtocolError("FRAME_MALFORMED", "a data frame is shorter than its sequence number", {
      bytes: payload.length,
    });
  const sequence = payload.readUInt32LE(4) * 4_294_967_296 + payload.readUInt32LE(0);
  if (!Number.isSafeInteger(sequence))
    throw new ProtocolError("FRAME_MALFORMED", "a sequence number exceeds 2^53 - 1");
  return sequence;
}

export function writeSequence(payload: Buffer, offset: number, sequence: number): void {
  payload.writeUInt32LE(sequence % 4_294_967_296, offset);
  payload.writeUInt32LE(Math.floor(sequence / 4_294_967_296), offset + 4);
}

/**
 * Cuts a byte stream into messages, whatever its chunks. A payload is a view: of the chunk, or of memory that the reader
 * does not write again. So it stays as it is for as long as the chunk does.
 * Memory: at most one unfinished message, grown as its bytes arrive.
 */
export class MessageReader {
  readonly #onMessage: (type: number, payload: Buffer) => void;
  readonly #maxBytes: number;
  #pending: Buffer = Buffer.alloc(0);
  #pendingBytes = 0;

  /** `maxBytes`: longest message that is waited for. */
  constructor(onMessage: (type: number, payload: Buffer) => void, maxBytes: number = MAX_MESSAGE_BYTES) {
    this.#onMessage = onMessage;
    this.#maxBytes = maxBytes;
  }

  /** Bytes of an unfinished message. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Throws FRAME_TOO_LARGE or FRAME_MALFORMED; the stream cannot be read on after that. */
  push(chunk: Buffer): void {
    if (this.#pendingBytes === 0) {
      this.#keep(chunk, this.#cut(chunk));
      return;
    }
    this.#append(chunk);
    const whole = this.#pending.subarray(0, this.#pendingBytes);
    const used = this.#cut(whole);
    if (used === 0) return;
    this.#pendingBytes = 0;
    this.#keep(whole, used);
  }

  #cut(bytes: Buffer): number {
    let offset = 0;
    while (bytes.length - offset >= 4) {
      const length = bytes.readUInt32LE(offset);
      checkLength(length, this.#maxBytes);
      const end = offset + 4 + length;
      if (end > bytes.length) break;
      this.#onMessage(bytes.readUInt8(offset + 4), bytes.subarray(offset + MESSAGE_HEADER_BYTES, end));
      offset = end;
    }
    return offset;
  }

  #keep(bytes: Buffer, from: number): void {
    const left = bytes.length - from;
    if (left === 0) {
      this.#pending = Buffer.alloc(0);
      return;
    }
    const kept = Buffer.allocUnsafe(left);
    bytes.copy(kept, 0, from);
    this.#pending = kept;
    this.#pendingBytes = left;
  }

  #append(chunk: Buffer): void {
    const bytes = this.#pendingBytes + chunk.length;
    if (bytes > this.#pending.length) {
      const grown = Buffer.allocUnsafe(Math.max(bytes, this.#pending.length * 2));
      this.#pending.copy(grown, 0, 0, this.#pendingBytes);
      this.#pending = grown;
    }
    chunk.copy(this.#pending, this.#pendingBytes);
    this.#pendingBytes = bytes;
  }
}

function checkLength(lengthBytes: number, limitBytes: number): void {
  if (lengthBytes > limitBytes) {
    throw new ProtocolError(
      "FRAME_TOO_LARGE",
      `a message of ${lengthBytes} bytes was announced; the limit is ${limitBytes}`,
      {
        frameBytes: lengthBytes,
        limitBytes,
      },
    );
  }
  if (lengthBytes === 0)
    throw new ProtocolError("FRAME_MALFORMED", "a message without a type byte was announced");
}
