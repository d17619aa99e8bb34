import { decodeSpans, decodeSpansHeader, type FoundSummary, ProtocolError } from "@apm-daemon/protocol";
import { withRepeats } from "../traces/repeated-calls.ts";
import type { StatementTexts } from "../traces/span-statements.ts";
import { type ExtractedTrace, extractTraces } from "../traces/trace-extractor.ts";
import type { TimeUse } from "../why-slow/request-time.ts";
import { PartSummary } from "./part-summary.ts";
import type { RingFrame } from "./ring-scan.ts";

/** One process's part of a trace. */
export interface RingPart {
  summary: FoundSummary;
  /** SPANS payload with the spans of this part. */
  frame: Uint8Array;
  /** Where its time went; null when its entry span is not there. */
  use: TimeUse | null;
}

/** Bytes of frames that are held for one question. */
const MAX_FRAME_BYTES = 67_108_864;
/** Bytes of one answer, so that what waits to be sent is bounded too. */
const MAX_ANSWER_BYTES = 8_388_608;
const MAX_PARTS = 500;
/** Parts that are put together at once: each has up to 2,000 spans in memory meanwhile. */
const PARTS_AT_ONCE = 16;

interface HeldFrame {
  payload: Buffer;
  app: string;
  instance: string;
  receivedUnixMs: number;
}

/** Frames that a search came across, until they are turned into the parts of the traces that were asked for. */
export class FoundFrames {
  readonly #frames = new Map<number, HeldFrame>();
  /** Positions of frames by trace id. */
  readonly #positions = new Map<string, number[]>();
  /** A frame is in the journal twice when its write was reported as failed and the agent sent it again. */
  readonly #seen = new Set<string>();
  #bytes = 0;

  /** Keeps a copy of a frame; false when there is no room for it. A damaged frame, or one of nobody, is passed over. */
  add({ position, instanceJson, receivedUnixMs, payload }: RingFrame, ids: readonly Buffer[]): boolean {
    const sender = senderOf(instanceJson);
    if (sender === null) return true;
    const key = `${sender.instance} ${sequenceKey(payload)}`;
    if (this.#seen.has(key)) return true;
    if (this.#bytes + payload.length > MAX_FRAME_BYTES) return false;
    this.#seen.add(key);
    this.#bytes += payload.length;
    this.#frames.set(position, { payload: Buffer.from(payload), ...sender, receivedUnixMs });
    for (const id of ids) {
      const traceId = id.toString("hex");
      const positions = this.#positions.get(traceId);
      if (positions) positions.push(position);
      else this.#positions.set(traceId, [position]);
    }
    return true;
  }

  /** The parts by start; `left` says why some are missing. Stops at the given time of the monotonic clock. */
  parts(
    stopMs: number,
    statementTexts: StatementTexts,
  ): { parts: RingPart[]; left: "" | "deadline" | "too_large" } {
    const summaries = [...this.#positions].flatMap(([traceId, positions]) =>
      this.#summaries(
        traceId,
        positions.sort((a, b) => a - b),
      ),
    );
    const parts: RingPart[] = [];
    let bytes = 0;
    for (let from = 0; from < summaries.length; from += PARTS_AT_ONCE) {
      if (performance.now() > stopMs) return { parts, left: "deadline" };
      const some = summaries.slice(from, from + PARTS_AT_ONCE);
      for (const [i, found] of this.#extract(some, statementTexts).entries()) {
        const summary = some[i]?.toFound();
        if (found === null || summary === undefined) continue;
        const { frame, repeats, use } = found;
        bytes += frame.length;
        if (bytes > MAX_ANSWER_BYTES || parts.length >= MAX_PARTS) return { parts, left: "too_large" };
        // A copy of its own size: it goes to another thread, which takes whole buffers.
        parts.push({ summary: withRepeats(summary, repeats), frame: new Uint8Array(frame), use });
      }
    }
    return { parts, left: "" };
  }

  #summaries(traceId: string, positions: readonly number[]): PartSummary[] {
    const summaries = new Map<string, PartSummary>();
    for (const position of positions) {
      const { payload, app, instance, receivedUnixMs } = this.#frames.get(position) as HeldFrame;
      try {
        const { baseUnixUs } = decodeSpansHeader(payload);
        decodeSpans(payload, (span) => {
          if (span.trace.traceId !== traceId) return;
          const rootSpanId = span.trace.rootSpanId;
          const key = `${instance} ${rootSpanId}`;
          let summary = summaries.get(key);
          if (summary === undefined) {
            summary = new PartSummary({ traceId, rootSpanId, app, instance });
            summaries.set(key, summary);
          }
          summary.add(span, position, baseUnixUs, receivedUnixMs);
        });
      } catch (error) {
        // The spans before the damage count, as they do for the aggregator.
        if (!(error instanceof ProtocolError)) throw error;
      }
    }
    return [...summaries.values()];
  }

  #extract(summaries: readonly PartSummary[], statementTexts: StatementTexts): (ExtractedTrace | null)[] {
    const archive = {
      readFrame: (position: number) => (this.#frames.get(position) as HeldFrame).payload,
      endReading: () => {},
    };
    return extractTraces(archive, summaries, statementTexts);
  }
}

function sequenceKey(payload: Buffer): string {
  return payload.toString("hex", 0, 8);
}

function senderOf(instanceJson: string): { app: string; instance: string } | null {
  try {
    const { app, instance } = JSON.parse(instanceJson) as { app: unknown; instance: unknown };
    return typeof app === "string" && typeof instance === "string" ? { app, instance } : null;
  } catch {
    return null;
  }
}
