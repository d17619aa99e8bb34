import { crc32 } from "node:zlib";
import { mutateBytes } from "./mutate-bytes.ts";
import type { SeededRandom } from "./random.ts";

const HEADER_BYTES = 16;
const RECORD_HEADER_BYTES = 8;

/** A journal segment that went wrong: anywhere, or inside one record with its length and checksum right. */
export function mutateSegment(segment: Buffer, random: SeededRandom, other: Buffer): Buffer {
  if (random.chance(0.6)) return mutateBytes(segment, random, other);
  const records = cutRecords(segment);
  const at = random.below(records.length);
  return Buffer.concat([
    segment.subarray(0, HEADER_BYTES),
    ...records.map((record, i) =>
      i === at ? withPayload(mutateBytes(payloadOf(record), random, other)) : record,
    ),
  ]);
}

function cutRecords(segment: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = HEADER_BYTES; at + RECORD_HEADER_BYTES <= segment.length; ) {
    const end = at + RECORD_HEADER_BYTES + segment.readUInt32LE(at);
    records.push(segment.subarray(at, end));
    at = end;
  }
  return records;
}

function payloadOf(record: Buffer): Buffer {
  return record.subarray(RECORD_HEADER_BYTES);
}

function withPayload(payload: Buffer): Buffer {
  const head = Buffer.alloc(RECORD_HEADER_BYTES);
  head.writeUInt32LE(payload.length, 0);
  head.writeUInt32LE(crc32(payload), 4);
  return Buffer.concat([head, payload]);
}
