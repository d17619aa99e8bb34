import { decodeSpans, type FoundPart, ProtocolError, type TracePart } from "@apm-daemon/protocol";
import { FoundSchema, parsePart } from "./found-schema.ts";

/** Bytes that all answers to one question may have together: what they hold is in memory until it is stored. */
export const MAX_QUESTION_BYTES = 16_777_216;
const MAX_PARTS = 500;

/** What one daemon answered to one question, as far as it came. */
export interface DaemonAnswer {
  host: string;
  state: "answered" | "silent" | "busy";
  parts: TracePart[];
  oldestUnixMs: number | null;
  /** See AskedHost. */
  gap: string;
}

/** Gathers the FOUND messages of one daemon for one question; believes nothing that it has not checked. */
export class AnswerGatherer {
  readonly #host: string;
  readonly #traceId: string;
  readonly #budget: { bytes: number };
  readonly #settle: (answer: DaemonAnswer) => void;
  readonly #parts: TracePart[] = [];
  #gap = "";

  /** `settle` is called once. `budget` is what may still come, shared by all who are asked. */
  constructor(
    question: { host: string; traceId: string; budget: { bytes: number } },
    settle: (answer: DaemonAnswer) => void,
  ) {
    this.#host = question.host;
    this.#traceId = question.traceId;
    this.#budget = question.budget;
    this.#settle = settle;
  }

  /** Takes one message; true when it was the last of this answer. */
  take(message: unknown): boolean {
    const found = FoundSchema.safeParse(message).data;
    if (found === undefined) {
      this.#end("answered", null, "malformed");
      return true;
    }
    for (const sent of found.parts) this.#add(parsePart(sent));
    if (found.hasMore) return false;
    const state = found.gap === "busy" && this.#parts.length === 0 ? "busy" : "answered";
    this.#end(state, found.oldestUnixMs, this.#gap || found.gap);
    return true;
  }

  /** Nothing more comes: time is up, or the connection ended. */
  giveUp(gap: "deadline" | "connection_lost"): void {
    this.#end(this.#parts.length > 0 ? "answered" : "silent", null, gap);
  }

  #add(part: FoundPart | null): void {
    if (part === null || part.summary.traceId !== this.#traceId) {
      this.#gap ||= "malformed";
      return;
    }
    const frame = Buffer.from(part.frame, "base64");
    if (!isFrameOf(frame, part)) {
      this.#gap ||= "malformed";
    } else if (frame.length > this.#budget.bytes || this.#parts.length >= MAX_PARTS) {
      this.#gap ||= "too_large";
    } else {
      this.#budget.bytes -= frame.length;
      this.#parts.push({ ...part.summary, host: this.#host, frame });
    }
  }

  #end(state: DaemonAnswer["state"], oldestUnixMs: number | null, gap: string): void {
    this.#settle({ host: this.#host, state, parts: this.#parts, oldestUnixMs, gap });
  }
}

/** Whether all spans of a payload belong to the part that it came with. */
function isFrameOf(payload: Buffer, { summary }: FoundPart): boolean {
  let spans = 0;
  let isOwn = true;
  try {
    decodeSpans(payload, ({ trace }) => {
      spans++;
      isOwn &&= trace.traceId === summary.traceId && trace.rootSpanId === summary.rootSpanId;
    });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return false;
  }
  return isOwn && spans > 0 && spans <= summary.spans;
}
