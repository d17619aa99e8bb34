import { closeSync, openSync, readdirSync, readSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { SEGMENT_HEADER_BYTES, type SegmentFormat, segmentFormatOf } from "./segment.ts";

export interface SegmentFile {
  path: string;
  /** Of its first byte in the whole journal. */
  position: number;
  bytes: number;
  /** Null when its head cannot be read. */
  format: SegmentFormat | null;
}

export interface ScannedSegments {
  /** Ascending by position. */
  segments: SegmentFile[];
  /** File names of segments in a format that only a later release reads. */
  newerFiles: string[];
  /** Position after all of them. */
  end: number;
}

/** What lies in a journal's folder; sizes are the files' own. Throws the file system's error for the folder alone. */
export function scanSegments(dir: string): ScannedSegments {
  const scanned: ScannedSegments = { segments: [], newerFiles: [], end: 0 };
  for (const name of readdirSync(dir).sort()) {
    const path = join(dir, name);
    if (/^\d{16}\.seg\.tmp$/.test(name)) removeIfPossible(path); // A rewrite that a crash cut short.
    const match = /^(\d{16})\.seg$/.exec(name);
    if (match === null) continue;
    const position = Number(match[1]);
    const { bytes, format } = look(path);
    // A crash between creating a segment and its first write leaves an empty file whose name the next one needs.
    if (bytes === 0) {
      removeIfPossible(path);
      continue;
    }
    const last = scanned.segments.at(-1);
    // Bytes beyond the next segment's start are leftovers of a failed write: they were never acknowledged.
    if (last !== undefined) last.bytes = Math.min(last.bytes, position - last.position);
    if (format === "newer") scanned.newerFiles.push(name);
    else scanned.segments.push({ path, position, bytes, format });
    scanned.end = position + bytes;
  }
  return scanned;
}

function look(path: string): { bytes: number; format: SegmentFormat | "newer" | null } {
  const bytes = statSync(path).size;
  try {
    const head = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const fd = openSync(path, "r");
    try {
      const format = segmentFormatOf(head.subarray(0, readSync(fd, head, 0, head.length, 0)));
      return { bytes, format: format === "damaged" ? null : format };
    } finally {
      closeSync(fd);
    }
  } catch {
    // A disk that refuses one segment must not keep the daemon from starting with the others.
    return { bytes, format: null };
  }
}

function removeIfPossible(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is in nobody's way.
  }
}
