import type { FoundGap } from "@apm-daemon/protocol";
import type { RingSegment } from "../journal/journal.ts";
import type { StatementTexts } from "../traces/span-statements.ts";
import { FoundFrames, type RingPart } from "./found-frames.ts";
import { RingScan } from "./ring-scan.ts";

export interface RingQuestion {
  /** Newest first. */
  segments: readonly RingSegment[];
  /** 32 hex digits each. */
  traceIds: readonly string[];
  /** From the call on. */
  withinMs: number;
  statementTexts: StatementTexts;
}

export interface RingAnswer {
  parts: RingPart[];
  /** Receipt of the oldest frame in the ring; null when there is none, or nobody looked. */
  oldestUnixMs: number | null;
  /** Why the ring may hold more of these traces than is here; "" when it does not. */
  gap: FoundGap | "";
}

/** Time that is left for putting the parts together and sending them. */
const SCAN_RATIO = 0.8;

/**
 * Looks through the ring, newest segment first, for the spans of some traces: synchronously, so call it in a thread of its
 * own. Takes at most about `withinMs`, and then answers what it has.
 */
export function searchRing({ segments, traceIds, withinMs, statementTexts }: RingQuestion): RingAnswer {
  const stopScanMs = performance.now() + withinMs * SCAN_RATIO;
  const stopMs = performance.now() + withinMs;
  const ids = [...new Set(traceIds)].map((id) => Buffer.from(id, "hex"));
  const scan = new RingScan();
  const frames = new FoundFrames();
  let gap: FoundGap | "" = "";
  for (const segment of segments) {
    if (performance.now() > stopScanMs) {
      gap = "deadline";
      break;
    }
    try {
      scan.visit(segment, ids, (frame, found) => {
        if (!frames.add(frame, found)) gap ||= "too_large";
      });
    } catch (error) {
      if (!isGone(error)) gap ||= "unreadable";
    }
  }
  const { parts, left } = frames.parts(stopMs, statementTexts);
  return { parts, oldestUnixMs: oldestReceipt(scan, segments), gap: gap || left };
}

/** Of the oldest segment that can be read and has a frame. */
function oldestReceipt(scan: RingScan, segments: readonly RingSegment[]): number | null {
  for (const segment of segments.toReversed()) {
    try {
      const first = scan.firstReceiptOf(segment);
      if (first !== null) return first;
    } catch {
      // Gone from the ring, or unreadable: then the ring begins with the next one.
    }
  }
  return null;
}

/** The ring went on while it was searched. */
function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
