import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeGap, decodeSpansHeader, MessageType } from "@apm-daemon/protocol";
import { readSegment } from "../journal/read-segment.ts";

export interface JournalRecount {
  /** Spans in intact SPANS frames of the range, by app. */
  spans: Map<string, number>;
  /** Spans that its GAP frames tell as lost, by app and reason. */
  dropped: Map<string, Record<string, number>>;
  /** Bytes of the segments that the range touches which hold no intact record. */
  unreadableBytes: number;
}

/**
 * Counts the spans that lie in a journal folder between two positions, from the files alone: beside a running daemon, or
 * without one. Throws the file system's error.
 */
export function recountJournal(dir: string, from: number, to: number): JournalRecount {
  const recount: JournalRecount = { spans: new Map(), dropped: new Map(), unreadableBytes: 0 };
  const segments = readdirSync(dir)
    .flatMap((name) => /^(\d{16})\.seg$/.exec(name)?.[1] ?? [])
    .sort();
  segments.forEach((name, i) => {
    const position = Number(name);
    const end = Math.min(to, Number(segments[i + 1] ?? to));
    if (position >= to || end <= from) return;
    const bytes = readFileSync(join(dir, `${name}.seg`)).subarray(0, end - position);
    const apps = new Map<number, string>();
    const damaged = readSegment(bytes, (record, offset) => {
      if (record.type === "instance") apps.set(record.reference, appOf(record.json));
      else if (position + offset >= from)
        countFrame(recount, apps.get(record.reference) ?? "", record.messageType, record.payload);
    });
    for (const { bytes: lost } of damaged) recount.unreadableBytes += lost;
  });
  return recount;
}

function countFrame({ spans, dropped }: JournalRecount, app: string, type: number, payload: Buffer): void {
  try {
    if (type === MessageType.spans) {
      // A frame cannot hold more spans than bytes, whatever it says.
      const announced = Math.min(decodeSpansHeader(payload).spans, payload.length);
      spans.set(app, (spans.get(app) ?? 0) + announced);
    } else if (type === MessageType.gap) {
      const reasons = dropped.get(app) ?? {};
      for (const [reason, lost] of Object.entries(decodeGap(payload).dropped))
        reasons[reason] = (reasons[reason] ?? 0) + lost;
      dropped.set(app, reasons);
    }
  } catch {
    // The daemon counted it as malformed: one span, for who knows how many.
    if (type === MessageType.spans) spans.set(app, (spans.get(app) ?? 0) + 1);
  }
}

function appOf(json: string): string {
  try {
    const { app } = JSON.parse(json) as { app?: unknown };
    return typeof app === "string" ? app : "";
  } catch {
    return "";
  }
}
