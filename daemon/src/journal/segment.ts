/**
 * One segment file of the journal.
 *
 *   offset size
 *        0    4  "APMJ"
 *        4    1  format version, 1
 *        5    3  0
 *        8    8  position of the segment's first byte in the whole journal, u64
 *       16    …  records: u32 payload bytes, u32 CRC-32 of the payload, payload
 *
 *   payload: u8 type, then
 *     1 INSTANCE  u32 reference, JSON of the instance
 *     2 FRAME     u32 reference, f64 Unix ms of receipt, u8 message type, the message's payload as received
 *
 * Little endian. A segment stands alone: it announces each instance before its first frame, so references never reach
 * across files. A record whose checksum is wrong is stepped over when an intact one follows it; else it ends the
 * readable part of its segment.
 */
import { crc32 } from "node:zlib";

export const SEGMENT_HEADER_BYTES = 16;
export const RECORD_HEADER_BYTES = 8;
export const FRAME_PREFIX_BYTES = 14;
const INSTANCE_PREFIX_BYTES = 5;
const MAGIC = 0x4a4d5041; // "APMJ"
const VERSION = 1;
const INSTANCE = 1;
const FRAME = 2;

export type JournalRecord =
  | { type: "instance"; reference: number; json: string }
  | { type: "frame"; reference: number; receivedUnixMs: number; messageType: number; payload: Buffer };

export function encodeSegmentHeader(position: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header[4] = VERSION;
  header.writeBigUInt64LE(BigInt(position), 8);
  return header;
}

export function encodeInstanceRecord(reference: number, json: string): Buffer {
  const text = Buffer.from(json);
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + INSTANCE_PREFIX_BYTES + text.length);
  record[RECORD_HEADER_BYTES] = INSTANCE;
  record.writeUInt32LE(reference, RECORD_HEADER_BYTES + 1);
  text.copy(record, RECORD_HEADER_BYTES + INSTANCE_PREFIX_BYTES);
  record.writeUInt32LE(INSTANCE_PREFIX_BYTES + text.length, 0);
  record.writeUInt32LE(crc32(record.subarray(RECORD_HEADER_BYTES)), 4);
  return record;
}

/** The bytes before a frame's payload; written together with the payload, which is not copied. */
export function encodeFramePrefix(
  reference: number,
  receivedUnixMs: number,
  messageType: number,
  payload: Buffer,
): Buffer {
  const prefix = Buffer.allocUnsafe(RECORD_HEADER_BYTES + FRAME_PREFIX_BYTES);
  prefix[RECORD_HEADER_BYTES] = FRAME;
  prefix.writeUInt32LE(reference, RECORD_HEADER_BYTES + 1);
  prefix.writeDoubleLE(receivedUnixMs, RECORD_HEADER_BYTES + 5);
  prefix[RECORD_HEADER_BYTES + 13] = messageType;
  prefix.writeUInt32LE(FRAME_PREFIX_BYTES + payload.length, 0);
  prefix.writeUInt32LE(crc32(payload, crc32(prefix.subarray(RECORD_HEADER_BYTES))), 4);
  return prefix;
}

/** Decodes the record at an offset; null when none is whole and intact there. */
export function decodeRecord(bytes: Buffer, offset: number): { record: JournalRecord; end: number } | null {
  const start = offset + RECORD_HEADER_BYTES;
  if (start > bytes.length) return null;
  const end = start + bytes.readUInt32LE(offset);
  if (end > bytes.length || end === start) return null;
  const payload = bytes.subarray(start, end);
  if (crc32(payload) !== bytes.readUInt32LE(offset + 4)) return null;
  const record = decodePayload(payload);
  return record === null ? null : { record, end };
}

function decodePayload(payload: Buffer): JournalRecord | null {
  if (payload[0] === INSTANCE && payload.length >= INSTANCE_PREFIX_BYTES) {
    return {
      type: "instance",
      reference: payload.readUInt32LE(1),
      json: payload.toString("utf8", INSTANCE_PREFIX_BYTES),
    };
  }
  if (payload[0] === FRAME && payload.length >= FRAME_PREFIX_BYTES) {
    return {
      type: "frame",
      reference: payload.readUInt32LE(1),
      receivedUnixMs: payload.readDoubleLE(5),
      messageType: payload.readUInt8(13),
      payload: payload.subarray(FRAME_PREFIX_BYTES),
    };
  }
  return null;
}

/** Visits the intact records of a segment in order, each with its offset; answers the bytes that hold none. */
export function readSegment(
  bytes: Buffer,
  visit: (record: JournalRecord, offset: number) => void,
): { unreadableBytes: number } {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC || bytes[4] !== VERSION) {
    return { unreadableBytes: bytes.length };
  }
  let offset = SEGMENT_HEADER_BYTES;
  let unreadableBytes = 0;
  while (offset < bytes.length) {
    const found = decodeRecord(bytes, offset);
    const end = found?.end ?? endOfDamage(bytes, offset);
    if (found === null) unreadableBytes += end - offset;
    else visit(found.record, offset);
    offset = end;
  }
  return { unreadableBytes };
}

/** Where the record after a damaged one begins, if its length can be trusted; else the end. */
function endOfDamage(bytes: Buffer, offset: number): number {
  if (offset + RECORD_HEADER_BYTES > bytes.length) return bytes.length;
  const next = offset + RECORD_HEADER_BYTES + bytes.readUInt32LE(offset);
  return decodeRecord(bytes, next) === null ? bytes.length : next;
}
