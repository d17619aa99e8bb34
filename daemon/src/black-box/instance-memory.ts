import { type Bye, decodeBye, MessageType, type RuntimeFrame, type SecondsTable } from "@apm-daemon/protocol";
import { PositionRing } from "./position-ring.ts";
import type { WatchedRecord } from "./state-file.ts";

export type ConnectionEnd = "bye" | "closed" | "refused";

/** Idle apps send a span or two a frame, busy ones hundreds: the last 20 calls are in the last few frames either way. */
const SPANS_FRAMES = 32;
const RUNTIME_FRAMES = 60;

/**
 * What is remembered of one process while it may still end: who it is, and where in the journal its last frames are.
 *
 *   connected ──connection ends──► lost ──process gone──► reported
 *       ▲                            │
 *       └───────reconnects───────────┤
 *                                    └──lives on, or cannot be looked at, for long──► reported or forgotten
 *   absent (connected when an earlier daemon ended) goes the way of lost.
 */
export class InstanceMemory {
  readonly record: WatchedRecord;
  readonly spansFrames: PositionRing = new PositionRing(SPANS_FRAMES);
  readonly runtimeFrames: PositionRing = new PositionRing(RUNTIME_FRAMES);
  state: "connected" | "lost" | "absent";
  lastRuntime: { frame: RuntimeFrame; unixMs: number } | null = null;
  /** How, when, and with which last seconds the connection ended. */
  lost: { end: ConnectionEnd; unixMs: number; monoMs: number; seconds: SecondsTable | null } | null = null;
  /** Its last words, from the last of its frames. */
  bye: Bye | null = null;
  #isHeard = false;

  constructor(record: WatchedRecord, state: "connected" | "absent") {
    this.record = record;
    this.state = state;
  }

  /** On the way of every frame: stores two numbers. */
  noteFrame(type: number, payload: Buffer, position: number, receivedUnixMs: number): void {
    this.#isHeard = true;
    this.record.lastHeardUnixMs = receivedUnixMs;
    if (type === MessageType.spans) this.spansFrames.note(position);
    else if (type === MessageType.runtime) this.runtimeFrames.note(position);
    else if (type === MessageType.bye) this.bye = byeOf(payload);
  }

  /** Null when nothing was received. */
  get lastFrameUnixMs(): number | null {
    return this.#isHeard ? this.record.lastHeardUnixMs : null;
  }
}

/** Who counts the frames counts a malformed one; here it is no goodbye. */
function byeOf(payload: Buffer): Bye | null {
  try {
    return decodeBye(payload);
  } catch {
    return null;
  }
}
