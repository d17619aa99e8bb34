/**
 * Format 1 of a segment file, read but no longer written.
 *
 *   offset size
 *        0   16  "APMJ", u8 format version 1, 3 bytes 0, u64 position of the segment's first byte in the whole journal
 *       16    …  records: u32 bytes of the body, u32 CRC-32 of the body, body as in format 2
 *
 * A record whose checksum is wrong is stepped over when its length leads to an intact one; else it ends the readable part.
 */
import { crc32 } from "node:zlib";
import { decodeRecordBody } from "./journal-record.ts";
import type { SegmentFormat } from "./segment.ts";

const RECORD_HEADER_BYTES = 8;

export const FORMAT_1: SegmentFormat = {
  version: 1,
  headerBytes: 16,
  recordHeaderBytes: RECORD_HEADER_BYTES,
  recordBytes: (header) => RECORD_HEADER_BYTES + header.readUInt32LE(0),
  decode(bytes, at) {
    const start = at + RECORD_HEADER_BYTES;
    if (start > bytes.length) return null;
    const end = start + bytes.readUInt32LE(at);
    if (end > bytes.length || end === start) return null;
    const body = bytes.subarray(start, end);
    if (crc32(body) !== bytes.readUInt32LE(at + 4)) return null;
    const record = decodeRecordBody(body);
    return record === null ? null : { record, end };
  },
  resume(bytes, at) {
    if (at + RECORD_HEADER_BYTES > bytes.length) return bytes.length;
    const next = at + RECORD_HEADER_BYTES + bytes.readUInt32LE(at);
    return this.decode(bytes, next, next) === null ? bytes.length : next;
  },
};
