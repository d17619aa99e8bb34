/**
 * Where mutated bytes go without a process in between: every reader of foreign bytes, as built. A target throws what it
 * must not: any error but ProtocolError, or a broken promise (sums that do not add up, a batch that no collector takes).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BatchHeader,
  decodeAck,
  decodeBatch,
  decodeBye,
  decodeGap,
  decodeHello,
  decodeRefuse,
  decodeRuntime,
  decodeSettings,
  decodeSpans,
  decodeWelcome,
  encodeBatch,
  MessageReader,
  MessageType,
  ProtocolError,
  parseSpanExtra,
  sequenceOf,
} from "@apm-daemon/protocol";
import { BatchHeaderSchema } from "../../../collector/dist/ingest/header-schema.js";
import { emitBatchRows } from "../../../collector/dist/store/batch-rows.js";
import { Aggregator } from "../../../daemon/dist/aggregate/aggregator.js";
import { LossLedger } from "../../../daemon/dist/aggregate/loss-ledger.js";
import { FrameIntake } from "../../../daemon/dist/intake/frame-intake.js";
import { InstanceRegistry } from "../../../daemon/dist/intake/instance-registry.js";
import { Journal } from "../../../daemon/dist/journal/journal.js";
import { readSegment } from "../../../daemon/dist/journal/read-segment.js";
import { extractTraces } from "../../../daemon/dist/traces/trace-extractor.js";
import { TraceKeeper } from "../../../daemon/dist/traces/trace-keeper.js";
import type { SeededRandom } from "./random.ts";
import { sampleBatchHeader } from "./sample-parts.ts";

type Message = { type: number; payload: Buffer };

const DECODERS: Readonly<Record<number, (payload: Buffer) => unknown>> = {
  [MessageType.hello]: decodeHello,
  [MessageType.welcome]: decodeWelcome,
  [MessageType.refuse]: decodeRefuse,
  [MessageType.spans]: (payload) => decodeSpans(payload, ({ extraJson }) => parseSpanExtra(extraJson)),
  [MessageType.runtime]: decodeRuntime,
  [MessageType.gap]: decodeGap,
  [MessageType.ack]: decodeAck,
  [MessageType.settings]: decodeSettings,
  [MessageType.bye]: decodeBye,
};

const DATA_TYPES: readonly number[] = [
  MessageType.spans,
  MessageType.runtime,
  MessageType.gap,
  MessageType.bye,
];

/** Counts between two seals; every so many cases what was counted is sealed, and must be a batch that is taken. */
const CASES_PER_SEAL = 500;
const NOW_UNIX_MS = 1_795_420_800_000;

export class DecoderTargets {
  readonly #folder = mkdtempSync(join(tmpdir(), "apm-fuzz-"));
  readonly #journal: Journal = new Journal({
    dir: this.#folder,
    segmentBytes: 2_097_152,
    capBytes: 8_388_608,
    fsync: "seal",
  });
  readonly #traces = new TraceKeeper({
    keep: "sampled",
    errorsPerAction: 10,
    slowestPerAction: 2,
    repeatsPerAction: 0,
    slowUs: () => Number.POSITIVE_INFINITY,
    randomPerAction: 1,
    random: () => 0.5,
  });
  readonly #aggregator = new Aggregator({
    limits: { actionsPerApp: 1_000, operationsPerApp: 5_000, openTraces: 5_000 },
    apdexTUs: () => 500_000,
    slowStatementUs: () => 500_000,
    traces: this.#traces,
    ledger: new LossLedger(),
    onNewApp: () => undefined,
  });
  readonly #registry = new InstanceRegistry(this.#journal);
  readonly #intake: FrameIntake = new FrameIntake({
    journal: this.#journal,
    counter: this.#aggregator,
    onRuntime: () => undefined,
    clock: { unixMs: () => NOW_UNIX_MS },
  });
  #cases = 0;
  #sequence = 0;

  /** A stream of messages, in pieces as they come: cut, decoded, journaled, counted. */
  frames(stream: Buffer, random: SeededRandom): void {
    const messages: Message[] = [];
    passOverProtocolErrors(() => readInPieces(stream, random, messages));
    for (const { type, payload } of messages) {
      passOverProtocolErrors(() => DECODERS[type]?.(payload));
      this.#takeIn(type, payload);
    }
    if (++this.#cases % CASES_PER_SEAL === 0) this.#seal();
  }

  batches(bytes: Buffer): void {
    passOverProtocolErrors(() => {
      const batch = decodeBatch(bytes);
      const checked = BatchHeaderSchema.safeParse(batch.header);
      if (!checked.success) return;
      const rows: unknown[] = [];
      emitBatchRows(
        {
          batch: { header: checked.data, frames: batch.frames },
          receivedMs: NOW_UNIX_MS,
          bytes: bytes.length,
        },
        (_table: unknown, row: unknown) => rows.push(row),
      );
    });
  }

  /** Answers of a collector or a daemon, which are JSON texts: the schemas behind it are the real programs' matter. */
  uplink(text: Buffer): void {
    passOverProtocolErrors(() => decodeSettings(text));
    parseSpanExtra(text.toString("utf8"));
  }

  segments(bytes: Buffer): void {
    let seenBytes = 0;
    const damaged = readSegment(bytes, (record, offset) => {
      seenBytes++;
      if (offset >= bytes.length) throw new Error(`a record was told at ${offset}, beyond the segment's end`);
      if (record.type === "instance") this.#registry.recover(record.json, true);
      else passOverProtocolErrors(() => sequenceOf(record.payload));
    });
    const unreadableBytes = damaged.reduce((sum, range) => sum + range.bytes, 0);
    if (unreadableBytes < 0 || unreadableBytes > bytes.length || seenBytes > bytes.length)
      throw new Error(`${unreadableBytes} of ${bytes.length} bytes were told to be unreadable`);
  }

  close(): void {
    this.#seal();
    this.#journal.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #takeIn(type: number, payload: Buffer): void {
    if (!DATA_TYPES.includes(type)) return;
    // A connection passes on what has a sequence number.
    if (payload.length < 8) return;
    const instance = this.#registry.greet({
      app: "fuzz",
      instance: "f".repeat(32),
      pid: 1,
      startUnixMs: 0,
      runtime: "node 20",
      agentVersion: "0",
      firstUnacknowledged: 0,
    });
    const frame = { type, sequence: ++this.#sequence, payload: Buffer.from(payload) };
    let told = 0;
    this.#intake.receive(instance, [frame], (sequence) => {
      told = sequence;
    });
    if (told !== this.#sequence) throw new Error(`frame ${this.#sequence} was answered with ${told}`);
    this.#registry.leave(instance, NOW_UNIX_MS);
  }

  /** What a daemon would send next: a collector has to take it. */
  #seal(): void {
    const kept = this.#traces.drain();
    const extracted = extractTraces(this.#journal, kept);
    const found = kept.flatMap(({ summary }, i) => {
      const trace = extracted[i];
      return trace ? [{ summary: { ...summary, repeats: trace.repeats }, frame: trace.frame }] : [];
    });
    const header: BatchHeader = {
      ...sampleBatchHeader(),
      ...this.#aggregator.drain(),
      traces: found.map(({ summary }) => summary),
    };
    const read = decodeBatch(encodeBatch({ header, frames: found.map(({ frame }) => frame) }, "none"));
    const checked = BatchHeaderSchema.safeParse(read.header);
    if (!checked.success) throw new Error(`no collector takes what was counted: ${checked.error.message}`);
    for (const frame of read.frames) decodeSpans(frame as Buffer, () => undefined);
  }
}

function readInPieces(stream: Buffer, random: SeededRandom, messages: Message[]): void {
  const reader = new MessageReader((type, payload) => messages.push({ type, payload }));
  const isWhole = random.chance(0.5);
  for (let at = 0; at < stream.length; ) {
    const piece = Buffer.from(stream.subarray(at, isWhole ? stream.length : at + random.skewed(65_536)));
    reader.push(piece);
    at += piece.length;
  }
}

function passOverProtocolErrors(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}
