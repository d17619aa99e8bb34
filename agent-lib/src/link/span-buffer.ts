/**
 * Ended spans on their way to the link: encoded at once into the current frame; the frame goes to the ring when it is
 * full or when its time has come. One timer, not referenced, and only while there is something to flush: every
 * `flushIntervalMs` under load (0.1 s by default), up to ten times that when spans are rare.
 */
import {
  type ExceptionText,
  encodeBye,
  encodeGap,
  encodeRuntime,
  FRAME_BYTES,
  MAX_POOLED_BUFFERS,
  type RuntimeFrame,
  SpanEncoder,
} from "@apm-daemon/protocol";
import type { AgentLog } from "../agent-log.ts";
import type { OverheadContract } from "../overhead/overhead-contract.ts";
import { nowMs, unixUsOf } from "../tracer/clock.ts";
import type { ApmSpan } from "../tracer/span.ts";
import type { SpanSink } from "../tracer/span-sink.ts";
import { FrameRing } from "./frame-ring.ts";

export type DropReason =
  | "agent_ring_full"
  | "agent_overhead"
  | "span_too_large"
  | "agent_error"
  | "agent_stopped";

/** Room that a frame's base leaves for spans whose end was set to a time in the past. */
const BACKDATE_MS = 1_000;
/** When spans are rare the flush interval doubles up to this many times as much: waking up costs more than waiting. */
const MAX_STRETCH = 10;
const MAX_STRETCHED_MS = 1_000;
/** Fewer spans than this in a frame: the app is almost idle, the next frame may wait longer. */
const FEW_SPANS = 16;
/** Memory beside the ring: the current frame, and buffers kept for the next ones. */
export const BUFFER_BYTES_BESIDE_RING: number = (1 + MAX_POOLED_BUFFERS) * FRAME_BYTES;

export class SpanBuffer implements SpanSink {
  readonly encoder: SpanEncoder;
  readonly ring: FrameRing;
  readonly #log: AgentLog;
  readonly #onFrame: () => void;
  readonly #contract: OverheadContract;
  readonly #dropped = new Map<DropReason, number>();
  /** A span below a request that took longer is recorded also when only errors and slow ones are. */
  slowMs = 500;
  #flushIntervalMs = 100;
  #intervalMs = 100;
  #timer: NodeJS.Timeout | null = null;
  #baseMs = 0;
  #created = 0;
  #droppedTotal = 0;
  /** Spans in frames that have a number, and drops that such a frame told. */
  #framed = 0;
  #reported = 0;
  #isStopped = false;
  #lastWords: { exitCode: number | null; error: ExceptionText | null } = { exitCode: null, error: null };
  #onLate: (() => void) | null = null;

  /** `onFrame` is told when the ring got a frame. */
  constructor(ringBytes: number, log: AgentLog, contract: OverheadContract, onFrame: () => void) {
    this.#log = log;
    this.#contract = contract;
    this.#onFrame = onFrame;
    this.ring = new FrameRing(ringBytes, (message) => this.encoder.recycle(message));
    this.encoder = new SpanEncoder(FRAME_BYTES, (bytes) => this.ring.hasRoomFor(bytes));
  }

  /** Spans ended since start, dropped ones among them. */
  get created(): number {
    return this.#created;
  }

  get dropped(): number {
    return this.#droppedTotal;
  }

  /** Memory for spans now: the ring, the current frame, and buffers kept for the next ones. */
  get heldBytes(): number {
    return this.ring.heldBytes + this.encoder.bufferBytes;
  }

  set flushIntervalMs(intervalMs: number) {
    this.#flushIntervalMs = intervalMs;
    this.#intervalMs = intervalMs;
  }

  add(span: ApmSpan, endMs: number): void {
    this.#created++;
    try {
      if (this.#isStopped) this.#addLate(span, endMs);
      else {
        const isTimed = this.#contract.note(span.isLocalRoot);
        const isSlow = span.hasError || endMs - span.startMs > this.slowMs;
        if (this.ring.isFull) this.#drop("agent_ring_full");
        else if (!this.#contract.keeps(span.isLocalRoot, isSlow)) this.#drop("agent_overhead");
        else if (isTimed) this.#encodeTimed(span, endMs);
        else this.#encode(span, endMs);
      }
    } catch (error) {
      this.#drop("agent_error");
      this.#log.internalError("span buffer", error);
    }
  }

  skipsCall(): boolean {
    if (this.#contract.makesCalls || this.#isStopped) return false;
    this.#contract.note(false);
    this.#created++;
    this.#drop("agent_overhead");
    return true;
  }

  /** Puts the current frame and what was dropped before it into the ring. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const spans = this.encoder.spans;
    if (spans === 0 && this.#dropped.size === 0) return;
    this.#intervalMs =
      spans >= FEW_SPANS ? this.#flushIntervalMs : Math.min(this.#intervalMs * 2, this.#longestIntervalMs());
    if (spans > 0) {
      this.ring.push(this.encoder.take(this.ring.nextSequence));
      this.#framed += spans;
    }
    if (this.#dropped.size > 0 && !this.ring.isFull) this.#pushGap();
    const startMs = nowMs();
    this.#onFrame();
    this.#contract.noteSending(nowMs() - startMs);
  }

  /** Tells the daemon of drops once there is room again. */
  reportDrops(): void {
    if (this.#dropped.size > 0 && !this.ring.isFull) this.flush();
  }

  /**
   * What is left, the drops not told yet, and the goodbye, into the ring whatever its size: these are the last frames. With
   * `onLate`, which is told of them, spans that end later are taken with another goodbye: the app's own exit listeners run
   * after the agent's.
   */
  finish(
    exitCode: number | null,
    error: ExceptionText | null = null,
    onLate: (() => void) | null = null,
  ): void {
    if (this.#isStopped) return;
    this.#lastWords = { exitCode, error };
    this.#onLate = onLate;
    this.#pushLast();
    this.#isStopped = true;
  }

  #addLate(span: ApmSpan, endMs: number): void {
    if (this.#onLate === null) {
      this.#drop("agent_stopped");
      return;
    }
    if (this.ring.isFull) {
      this.#drop("agent_ring_full");
      return;
    }
    this.#encode(span, endMs);
    this.#pushLast();
    this.#onLate();
  }

  #pushLast(): void {
    this.flush();
    if (this.#dropped.size > 0) this.#pushGap();
    const counts = {
      spansCreated: this.#created,
      spansFramed: this.#framed,
      spansReported: this.#reported,
    };
    const { exitCode, error } = this.#lastWords;
    const bye = { exitCode, ...counts, ...(error === null ? {} : { error }) };
    this.ring.push(encodeBye(this.ring.nextSequence, bye));
  }

  /** False when there is no room, or no time left. */
  addRuntime(frame: Omit<RuntimeFrame, "spansFramed" | "spansReported">): boolean {
    if (this.#isStopped || this.ring.isFull) return false;
    const counts = { spansFramed: this.#framed, spansReported: this.#reported };
    this.ring.push(encodeRuntime(this.ring.nextSequence, { ...frame, ...counts }));
    this.#onFrame();
    return true;
  }

  #encodeTimed(span: ApmSpan, endMs: number): void {
    const startMs = nowMs();
    this.#encode(span, endMs);
    this.#contract.noteEncoding(nowMs() - startMs);
  }

  #encode(span: ApmSpan, endMs: number): void {
    if (this.encoder.spans === 0) this.#begin();
    const durationNs = (endMs - span.startMs) * 1e6;
    let result = this.encoder.add(span, (endMs - this.#baseMs) * 1e6, durationNs);
    if (result === "full") {
      this.flush();
      if (this.ring.isFull) {
        this.#drop("agent_ring_full");
        return;
      }
      this.#begin();
      result = this.encoder.add(span, (endMs - this.#baseMs) * 1e6, durationNs);
    }
    if (result !== "added") this.#drop(result === "no_room" ? "agent_ring_full" : "span_too_large");
  }

  #begin(): void {
    this.#baseMs = nowMs() - BACKDATE_MS;
    // A machine without a battery starts in 1970, and the base lies before now.
    this.encoder.begin(Math.max(0, unixUsOf(this.#baseMs)));
    this.#schedule();
  }

  #drop(reason: DropReason): void {
    this.#droppedTotal++;
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
    if (!this.#isStopped) this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => this.#flushSafely(), this.#intervalMs);
    this.#timer.unref();
  }

  #flushSafely(): void {
    this.#timer = null;
    try {
      // A full ring cannot take the gap yet; the next acknowledgement calls reportDrops().
      this.flush();
    } catch (error) {
      this.#log.internalError("flush", error);
    }
  }

  #longestIntervalMs(): number {
    return Math.max(this.#flushIntervalMs, Math.min(this.#flushIntervalMs * MAX_STRETCH, MAX_STRETCHED_MS));
  }

  #pushGap(): void {
    const dropped = Object.fromEntries(this.#dropped);
    for (const count of this.#dropped.values()) this.#reported += count;
    this.#dropped.clear();
    this.ring.push(encodeGap(this.ring.nextSequence, { dropped }));
  }
}
