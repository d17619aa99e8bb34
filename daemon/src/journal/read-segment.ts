import type { JournalRecord } from "./journal-record.ts";
import { SEGMENT_HEADER_BYTES, segmentFormatOf } from "./segment.ts";

/** Part of a segment that holds no record, though it should. */
export interface DamagedRange {
  offset: number;
  bytes: number;
}

/**
 * Visits the intact records of a whole segment, each with its offset, and answers what is between them. Instances come
 * first, whatever their place: their frames then have a name also when one of its two announcements is damaged.
 */
export function readSegment(
  bytes: Buffer,
  visit: (record: JournalRecord, offset: number) => void,
): DamagedRange[] {
  const format = segmentFormatOf(bytes.subarray(0, SEGMENT_HEADER_BYTES));
  if (typeof format === "string") return bytes.length === 0 ? [] : [{ offset: 0, bytes: bytes.length }];
  const found: { record: JournalRecord; offset: number }[] = [];
  const damaged: DamagedRange[] = [];
  let at = format.headerBytes;
  while (at < bytes.length) {
    const here = format.decode(bytes, at, at);
    if (here !== null) {
      found.push({ record: here.record, offset: at });
      at = here.end;
      continue;
    }
    let next = at;
    do next = format.resume(bytes, next);
    while (next < bytes.length && format.decode(bytes, next, next) === null);
    damaged.push({ offset: at, bytes: next - at });
    at = next;
  }
  for (const { record, offset } of found) if (record.type === "instance") visit(record, offset);
  for (const { record, offset } of found) if (record.type === "frame") visit(record, offset);
  return damaged;
}
