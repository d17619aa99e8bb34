/**
 * Every few seconds: all that was counted becomes one batch. Steps and what a crash between them means:
 *
 *   1  counters are drained, together with the journal position they reach    crash: replay from the old cursor
 *   2  the batch is written to the outbox, fsynced: from here on it counts    crash: the cursor is taken from the batch
 *   3  the cursor is written, fsynced; only now is the batch sent             crash: nothing to do
 *
 * Between 1 and 2 frames go on being journaled and counted: they belong to the next batch.
 */
import {
  type AppInfo,
  type BatchHeader,
  encodeBatch,
  type HostIdentity,
  type HostSnapshot,
  MAX_UPLINK_MESSAGE_BYTES,
  type ProcessSeconds,
  type SecondsTable,
} from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { Aggregator } from "../aggregate/aggregator.ts";
import type { InstanceRegistry } from "../intake/instance-registry.ts";
import type { Journal } from "../journal/journal.ts";
import { extractTraces } from "../traces/trace-extractor.ts";
import type { TraceKeeper } from "../traces/trace-keeper.ts";
import { type Cursor, writeCursor } from "./cursor.ts";
import type { Outbox } from "./outbox.ts";

export interface SealerOptions {
  cursor: Cursor;
  cursorPath: string;
  journal: Journal;
  journalCapBytes: number;
  aggregator: Aggregator;
  traces: TraceKeeper;
  instances: InstanceRegistry;
  outbox: Outbox;
  host: HostIdentity;
  hostSampler: { drain(): SecondsTable; snapshot(): HostSnapshot };
  processSampler: { drain(): Map<string, SecondsTable> };
  apdexTMs: (app: string) => number;
  clock: { unixMs(): number };
  log: Logger;
  onSealed: (header: BatchHeader) => void;
}

interface SealedBatch {
  header: BatchHeader;
  bytes: Buffer;
  /** What the cursor will be once the batch is written. */
  cursor: Cursor;
}

/** Bytes of kept traces in a batch at most, so that its counters always fit into one message to the collector. */
const MAX_TRACES_BYTES = MAX_UPLINK_MESSAGE_BYTES * 0.75;
/** Instances are named in batches until this long after they went. */
const RECENT_MS = 60_000;

export class Sealer {
  readonly #options: SealerOptions;
  #cursor: Cursor;
  #unwritten: SealedBatch | null = null;
  #running: Promise<void> | null = null;
  /** Why the last seal could not be written; "" when it was. */
  problem = "";

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
  }

  get cursor(): Readonly<Cursor> {
    return this.#cursor;
  }

  /** Seals what was counted so far. Never rejects: what cannot be written is kept and tried again at the next seal. */
  seal(): Promise<void> {
    this.#running ??= this.#seal().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** A seal that covers everything up to now, also when one was under way. */
  async sealFinally(): Promise<void> {
    await this.#running;
    await this.seal();
  }

  async #seal(): Promise<void> {
    const { journal, outbox, log, onSealed } = this.#options;
    this.#unwritten ??= this.#drain();
    const { header, bytes, cursor } = this.#unwritten;
    const { number } = header;
    try {
      await journal.sync();
      await outbox.write(number, bytes);
      await writeCursor(this.#options.cursorPath, cursor);
      outbox.offer(number, bytes.length, this.#options.clock.unixMs());
    } catch (error) {
      this.problem = `a batch could not be written to the outbox: ${(error as Error).message}; it is kept in memory and tried again, free disk space or check the state folder`;
      log.error({ err: error, batch: number }, this.problem);
      return;
    }
    this.problem = "";
    this.#cursor = cursor;
    this.#unwritten = null;
    journal.trim(cursor.journal.replayFrom);
    onSealed(header);
  }

  #drain(): SealedBatch {
    const { aggregator, journal, traces, clock } = this.#options;
    const now = clock.unixMs();
    // An open request must not pin more than half of the ring.
    aggregator.abandon(journal.position - this.#options.journalCapBytes / 2, now);
    const range = { sealed: journal.position, replayFrom: aggregator.oldestOpenPosition ?? journal.position };
    const kept = traces.drain();
    const frames = extractTraces(journal, kept);
    const found = kept.flatMap(({ summary }, i) => {
      const frame = frames[i];
      return frame ? [{ summary, frame }] : [];
    });
    let tracesBytes = 0;
    const fitting = found.filter(({ frame }) => (tracesBytes += frame.length) <= MAX_TRACES_BYTES);
    traces.passedOver += found.length - fitting.length;
    const number = this.#cursor.nextNumber;
    const header: BatchHeader = {
      version: 1,
      stream: this.#cursor.stream,
      number,
      createdUnixMs: now,
      host: this.#options.host,
      apps: this.#apps(now),
      hostSeconds: this.#options.hostSampler.drain(),
      hostSnapshot: this.#options.hostSampler.snapshot(),
      processSeconds: this.#processes(now),
      ...aggregator.drain(),
      traces: fitting.map(({ summary }) => summary),
      journal: range,
    };
    const bytes = encodeBatch({ header, frames: fitting.map(({ frame }) => frame) }, "gzip");
    return { header, bytes, cursor: { stream: this.#cursor.stream, nextNumber: number + 1, journal: range } };
  }

  #apps(nowUnixMs: number): AppInfo[] {
    const apps = new Map<string, AppInfo>();
    for (const { app, instance, pid, runtime, agentVersion, startUnixMs } of this.#options.instances.recent(
      nowUnixMs,
      RECENT_MS,
    )) {
      let info = apps.get(app);
      if (info === undefined) {
        info = { app, apdexTMs: this.#options.apdexTMs(app), instances: [] };
        apps.set(app, info);
      }
      info.instances.push({ instance, pid, runtime, agentVersion, startUnixMs });
    }
    return [...apps.values()];
  }

  #processes(nowUnixMs: number): ProcessSeconds[] {
    const tables = this.#options.processSampler.drain();
    return this.#options.instances.recent(nowUnixMs, RECENT_MS).flatMap(({ app, instance, pid }) => {
      const table = tables.get(instance);
      return table === undefined ? [] : [{ app, instance, pid, ...table }];
    });
  }
}
