/**
 * One segment file of the journal, format 2 (segment-v1.ts reads the one before).
 *
 *   offset size
 *        0   24  head: "APMJ", u8 format version 2, 3 bytes 0, u64 position of the segment's first byte in the whole journal,
 *                u32 marker, u32 CRC-32 of the 20 bytes before
 *       24   24  the same again, so that no single spot of damage hides the marker
 *       48    …  records: u32 marker, u32 CRC-32 of what follows in the record, u32 bytes of the body, body
 *
 *   body: u8 type, then
 *     1 INSTANCE  u32 reference, JSON of the instance
 *     2 FRAME     u32 reference, f64 Unix ms of receipt, u8 message type, the message's payload as received
 *
 * Little endian. The marker is random and never 0, another one in each segment; a record's checksum is seeded with the marker,
 * turned around, and the record's offset. Hence:
 *
 * - After damage, also of a length, the next record is found by looking for the marker: damage costs what it touches.
 * - Bytes that an app sends are never taken for a record, whatever they are: who does not read this file cannot know the marker,
 *   and a record copied to another place or file has a wrong checksum there.
 * - A segment stands alone: it announces each instance before and after its first frame, so that one spot of damage cannot take
 *   the name of all its frames.
 *
 * Not promised: a record survives damage to itself; it is all or nothing.
 */
import { randomInt } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  decodeRecordBody,
  encodeInstance,
  FRAME_PREFIX_BYTES,
  type JournalRecord,
  writeFramePrefix,
} from "./journal-record.ts";
import { FORMAT_1 } from "./segment-v1.ts";

const HEAD_BYTES = 24;
export const SEGMENT_HEADER_BYTES: number = 2 * HEAD_BYTES;
const RECORD_HEADER_BYTES = 12;
/** From here to a record's end its checksum covers it. */
const CHECKED_FROM = 8;
const MAGIC = 0x4a4d5041; // "APMJ"
const VERSION = 2;
const MAX_U32 = 0xffff_ffff;

/** How to find the records of one segment. */
export interface SegmentFormat {
  readonly version: number;
  readonly headerBytes: number;
  /** Bytes of a record before its body. */
  readonly recordHeaderBytes: number;
  /** Bytes of the whole record that has this header; nonsense when it is damaged. */
  recordBytes(header: Buffer): number;
  /** The record at `bytes[at]`, which is `offset` in its segment; null when none is whole and intact there. */
  decode(bytes: Buffer, at: number, offset: number): { record: JournalRecord; end: number } | null;
  /** Where the next record may begin after a damaged one at `at`; the end when nowhere. */
  resume(bytes: Buffer, at: number): number;
}

/** A segment's format from its first SEGMENT_HEADER_BYTES; "newer" is to be left alone, "damaged" holds nothing readable. */
export function segmentFormatOf(head: Buffer): SegmentFormat | "newer" | "damaged" {
  for (const at of [0, HEAD_BYTES]) {
    const isWhole =
      head.length >= at + HEAD_BYTES &&
      head.readUInt32LE(at) === MAGIC &&
      head[at + 4] === VERSION &&
      head.readUInt32LE(at + 20) === crc32(head.subarray(at, at + 20));
    if (isWhole) return new MarkedSegment(head.readUInt32LE(at + 16));
  }
  if (head.length < FORMAT_1.headerBytes || head.readUInt32LE(0) !== MAGIC) return "damaged";
  const version = head.readUInt8(4);
  return version === FORMAT_1.version ? FORMAT_1 : version > VERSION ? "newer" : "damaged";
}

/** A segment that is written, or was, in this format. */
export class MarkedSegment implements SegmentFormat {
  readonly version: number = VERSION;
  readonly headerBytes: number = SEGMENT_HEADER_BYTES;
  readonly recordHeaderBytes: number = RECORD_HEADER_BYTES;
  readonly #marker: number;
  readonly #markerBytes: Buffer = Buffer.allocUnsafe(4);
  readonly #seed: number;

  constructor(marker: number = randomInt(1, MAX_U32)) {
    this.#marker = marker;
    this.#markerBytes.writeUInt32LE(marker);
    this.#seed = this.#markerBytes.readUInt32BE();
  }

  encodeHeader(position: number): Buffer {
    const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
    header.writeUInt32LE(MAGIC, 0);
    header[4] = VERSION;
    header.writeBigUInt64LE(BigInt(position), 8);
    header.writeUInt32LE(this.#marker, 16);
    header.writeUInt32LE(crc32(header.subarray(0, 20)), 20);
    header.copy(header, HEAD_BYTES, 0, HEAD_BYTES);
    return header;
  }

  encodeInstanceRecord(offset: number, reference: number, json: string): Buffer {
    const body = encodeInstance(reference, json);
    const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + body.length);
    record.writeUInt32LE(this.#marker, 0);
    record.writeUInt32LE(body.length, 8);
    body.copy(record, RECORD_HEADER_BYTES);
    record.writeUInt32LE(crc32(record.subarray(CHECKED_FROM), this.#seedAt(offset)), 4);
    return record;
  }

  /** The bytes before a frame's payload; written together with the payload, which is not copied. */
  encodeFramePrefix(
    offset: number,
    reference: number,
    receivedUnixMs: number,
    messageType: number,
    payload: Buffer,
  ): Buffer {
    const prefix = Buffer.allocUnsafe(RECORD_HEADER_BYTES + FRAME_PREFIX_BYTES);
    prefix.writeUInt32LE(this.#marker, 0);
    prefix.writeUInt32LE(FRAME_PREFIX_BYTES + payload.length, 8);
    writeFramePrefix(prefix, RECORD_HEADER_BYTES, reference, receivedUnixMs, messageType);
    const checksum = crc32(payload, crc32(prefix.subarray(CHECKED_FROM), this.#seedAt(offset)));
    prefix.writeUInt32LE(checksum, 4);
    return prefix;
  }

  recordBytes(header: Buffer): number {
    return RECORD_HEADER_BYTES + header.readUInt32LE(8);
  }

  decode(bytes: Buffer, at: number, offset: number): { record: JournalRecord; end: number } | null {
    if (at + RECORD_HEADER_BYTES >= bytes.length || bytes.readUInt32LE(at) !== this.#marker) return null;
    const end = at + RECORD_HEADER_BYTES + bytes.readUInt32LE(at + 8);
    if (end > bytes.length) return null;
    const checksum = crc32(bytes.subarray(at + CHECKED_FROM, end), this.#seedAt(offset));
    if (checksum !== bytes.readUInt32LE(at + 4)) return null;
    const record = decodeRecordBody(bytes.subarray(at + RECORD_HEADER_BYTES, end));
    return record === null ? null : { record, end };
  }

  resume(bytes: Buffer, at: number): number {
    const next = bytes.indexOf(this.#markerBytes, at + 1);
    return next === -1 ? bytes.length : next;
  }

  #seedAt(offset: number): number {
    return (this.#seed ^ offset) >>> 0;
  }
}
