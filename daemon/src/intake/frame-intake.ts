import {
  decodeBye,
  decodeGap,
  decodeRuntime,
  type Gap,
  MessageType,
  ProtocolError,
  type RuntimeFrame,
} from "@apm-daemon/protocol";
import type { AgentCounts } from "../aggregate/loss-ledger.ts";
import type { Journal } from "../journal/journal.ts";
import type { AppInstance } from "./instance-registry.ts";

/** A data frame as received: SPANS, RUNTIME, GAP or BYE. */
export interface DataFrame {
  type: number;
  sequence: number;
  payload: Buffer;
}

/** Who counts what was journaled. */
export interface FrameCounter {
  acceptSpans(source: AppInstance, payload: Buffer, position: number, receivedUnixMs: number): void;
  acceptGap(source: AppInstance, gap: Gap, receivedUnixMs: number): void;
  acceptCounts(source: AppInstance, counts: AgentCounts, receivedUnixMs: number): void;
  acceptCounters(source: AppInstance, frame: RuntimeFrame, receivedUnixMs: number): void;
}

export interface FrameIntakeOptions {
  journal: Journal;
  counter: FrameCounter;
  onRuntime: (instance: AppInstance, frame: RuntimeFrame) => void;
  /** Told of each frame journaled, before it is counted. */
  onFrame?: (
    instance: AppInstance,
    type: number,
    payload: Buffer,
    position: number,
    receivedUnixMs: number,
  ) => void;
  clock: { unixMs(): number };
}

/** The order that all promises hang on: journal, acknowledge, count. */
export class FrameIntake {
  readonly #journal: Journal;
  readonly #counter: FrameCounter;
  readonly #onRuntime: FrameIntakeOptions["onRuntime"];
  readonly #onFrame: FrameIntakeOptions["onFrame"];
  readonly #clock: FrameIntakeOptions["clock"];
  /** Since start. */
  readonly counts = { frames: 0, bytes: 0, duplicates: 0, sequenceJumps: 0, malformed: 0 };

  constructor(options: FrameIntakeOptions) {
    this.#journal = options.journal;
    this.#counter = options.counter;
    this.#onRuntime = options.onRuntime;
    this.#onFrame = options.onFrame;
    this.#clock = options.clock;
  }

  /**
   * Takes in the frames of one read: journals what is new, calls `acknowledge` with the highest sequence number that is
   * journaled now, then counts. Throws the file system's error when the journal cannot be written; then none of the frames
   * was taken in or counted, and the same call may be made again.
   */
  receive(
    instance: AppInstance,
    frames: readonly DataFrame[],
    acknowledge: (sequence: number) => void,
  ): void {
    const receivedUnixMs = this.#clock.unixMs();
    const fresh: { frame: DataFrame; position: number }[] = [];
    let last = instance.lastSequence;
    let sequenceJumps = 0;
    for (const frame of frames) {
      if (frame.sequence <= last) continue;
      if (frame.sequence > last + 1) sequenceJumps++;
      last = frame.sequence;
      const position = this.#journal.append(instance.journal, receivedUnixMs, frame.type, frame.payload);
      fresh.push({ frame, position });
    }
    this.#journal.flush();
    // Not before: WELCOME tells this number to a reconnecting agent, which then forgets the frames.
    instance.lastSequence = last;
    acknowledge(instance.lastSequence);
    this.counts.duplicates += frames.length - fresh.length;
    this.counts.sequenceJumps += sequenceJumps;
    for (const { frame, position } of fresh) this.#countLive(instance, frame, position, receivedUnixMs);
  }

  /** Counts a frame read back from the journal. */
  replay(instance: AppInstance, frame: DataFrame, position: number, receivedUnixMs: number): void {
    try {
      this.#count(instance, frame, position, receivedUnixMs);
    } catch (error) {
      this.#noteMalformed(error);
    }
  }

  #countLive(instance: AppInstance, frame: DataFrame, position: number, receivedUnixMs: number): void {
    this.counts.frames++;
    this.counts.bytes += frame.payload.length;
    this.#onFrame?.(instance, frame.type, frame.payload, position, receivedUnixMs);
    try {
      if (frame.type === MessageType.runtime) this.#onRuntime(instance, decodeRuntime(frame.payload));
      this.#count(instance, frame, position, receivedUnixMs);
    } catch (error) {
      this.#noteMalformed(error);
    }
  }

  #count(instance: AppInstance, frame: DataFrame, position: number, receivedUnixMs: number): void {
    if (frame.type === MessageType.spans)
      this.#counter.acceptSpans(instance, frame.payload, position, receivedUnixMs);
    else if (frame.type === MessageType.gap)
      this.#counter.acceptGap(instance, decodeGap(frame.payload), receivedUnixMs);
    else if (frame.type === MessageType.runtime) this.#countRuntime(instance, frame.payload, receivedUnixMs);
    else if (frame.type === MessageType.bye) this.#countBye(instance, frame.payload, receivedUnixMs);
  }

  #countRuntime(instance: AppInstance, payload: Buffer, receivedUnixMs: number): void {
    const frame = decodeRuntime(payload);
    this.#counter.acceptCounts(instance, frame, receivedUnixMs);
    this.#counter.acceptCounters(instance, frame, receivedUnixMs);
  }

  #countBye(instance: AppInstance, payload: Buffer, receivedUnixMs: number): void {
    const bye = decodeBye(payload);
    instance.bye = { exitCode: bye.exitCode };
    this.#counter.acceptCounts(instance, bye, receivedUnixMs);
  }

  #noteMalformed(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.counts.malformed++;
  }
}
