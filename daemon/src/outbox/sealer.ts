/**
 * Every few seconds: all that was counted becomes one batch, or several when its rows are too many for one. Steps and what a crash between them means:
 *
 *   1  counters are drained, together with the journal position they reach    crash: replay from the old cursor
 *   2  the batch is written to the outbox, fsynced: from here on it counts    crash: the cursor is taken from the batch
 *   3  the cursor is written, fsynced; only now is the batch sent             crash: nothing to do
 *
 * Of several batches the last one counts: those before it say that they are continued, and what a crash leaves of them alone
 * is deleted at the next start (Outbox.deleteUnfinished) and counted again from the journal.
 *
 * Between 1 and 2 frames go on being journaled and counted: they belong to the next batch.
 *
 * A seal that cannot be written is kept and tried again every second; meanwhile counting goes on, up to MAX_HELD_ROWS. Beyond that
 * `isFull` keeps the intake from taking more: frames stay in the apps, whose rings are bounded and count what they drop
 * (docs/decisions/0007-stop-reading-when-nothing-can-be-sealed.md). On a full disk the reserve makes room for what was counted.
 */

import { dirname } from "node:path";
import {
  type AppEvent,
  type AppInfo,
  type Batch,
  type BatchHeader,
  deploymentOf,
  encodeBatch,
  type HostIdentity,
  type HostSnapshot,
  MAX_UPLINK_MESSAGE_BYTES,
  type ProcessSeconds,
  type SecondsTable,
  type Verdict,
} from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { Aggregator } from "../aggregate/aggregator.ts";
import type { LossLedger } from "../aggregate/loss-ledger.ts";
import { diskProblem, isOutOfSpace, isSystemError } from "../disk/disk-problem.ts";
import type { DiskReserve } from "../disk/disk-reserve.ts";
import type { InstanceRegistry } from "../intake/instance-registry.ts";
import type { Journal } from "../journal/journal.ts";
import { withRepeats } from "../traces/repeated-calls.ts";
import type { StatementTexts } from "../traces/span-statements.ts";
import { type ExtractedTrace, extractTraces } from "../traces/trace-extractor.ts";
import type { KeptTrace, TraceKeeper } from "../traces/trace-keeper.ts";
import { type ExplainedTrace, withVerdict } from "../why-slow/why-slow.ts";
import { type Cursor, writeCursor } from "./cursor.ts";
import type { Outbox } from "./outbox.ts";
import { splitRows } from "./split-rows.ts";

export interface SealerOptions {
  cursor: Cursor;
  cursorPath: string;
  journal: Journal;
  journalCapBytes: number;
  aggregator: Aggregator;
  ledger: LossLedger;
  traces: TraceKeeper;
  instances: InstanceRegistry;
  outbox: Outbox;
  host: HostIdentity;
  hostSampler: { drain(): SecondsTable; snapshot(): HostSnapshot };
  processSampler: { drain(): Map<string, SecondsTable> };
  /** Events of the apps; see event-log.ts for why they are marked before the batch is written. */
  events: { take(stream: string, number: number): AppEvent[]; saved(): Promise<void>; sealed(): void };
  whySlow: { explain(traces: readonly ExplainedTrace[]): (Verdict | null)[] };
  apdexTMs: (app: string) => number;
  /** Hidden: batches name statements by their fingerprints alone. */
  statementTexts: () => StatementTexts;
  clock: { unixMs(): number };
  log: Logger;
  reserve: Pick<DiskReserve, "release">;
  onSealed: (header: BatchHeader) => void;
  /** A seal could not be written: call seal() soon again. */
  onFailed: () => void;
}

/** One seal: usually one batch, more when its rows are too many for one message to the collector. */
interface DrainedSeal {
  batches: { header: BatchHeader; bytes: Uint8Array }[];
  /** What the cursor will be once all batches are written. */
  cursor: Cursor;
}

/** Bytes of a batch before compression: it fits into a message to the collector, whatever it is made of. */
const MAX_BATCH_BYTES = MAX_UPLINK_MESSAGE_BYTES - 262_144;
/** Bytes of rows in one of them; the last batch of a seal fills up with traces. */
const MAX_ROWS_BYTES = MAX_UPLINK_MESSAGE_BYTES / 2;
/** Instances are named in batches until this long after they went. */
const RECENT_MS = 60_000;
/** Rows counted while nothing can be sealed, about 0.5 KB each: minutes of a busy host. */
const MAX_HELD_ROWS = 50_000;

export class Sealer {
  readonly #options: SealerOptions;
  #cursor: Cursor;
  #unwritten: DrainedSeal | null = null;
  #running: Promise<void> | null = null;
  /** Why the last seal could not be written; "" when it was. */
  problem = "";
  /** Too much is counted and not sealed: nothing more may be taken in. */
  isFull = false;
  /** Whether the last seal failed for another reason than that the system refused it, which may pass. */
  isBroken = false;

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
    const { journal, outbox, events, onSealed, clock } = this.#options;
    try {
      this.#unwritten ??= this.#drain();
      await this.#write(this.#unwritten);
    } catch (error) {
      this.#failed(error as Error);
      return;
    }
    const { batches, cursor } = this.#unwritten;
    this.problem = "";
    this.isFull = false;
    this.isBroken = false;
    this.#cursor = cursor;
    this.#unwritten = null;
    events.sealed();
    for (const { header, bytes } of batches) outbox.offer(header.number, bytes.length, clock.unixMs());
    journal.trim(cursor.journal.replayFrom);
    for (const { header } of batches) onSealed(header);
  }

  /** Writes a seal; on a full disk once more with the reserve's room. */
  async #write(seal: DrainedSeal): Promise<void> {
    try {
      await this.#writeOnce(seal);
    } catch (error) {
      if (!isOutOfSpace(error) || !this.#options.reserve.release()) throw error;
      await this.#writeOnce(seal);
    }
  }

  async #writeOnce({ batches, cursor }: DrainedSeal): Promise<void> {
    const { journal, outbox, cursorPath, events } = this.#options;
    await journal.sync();
    await events.saved();
    for (const { header, bytes } of batches) await outbox.write(header.number, bytes);
    await writeCursor(cursorPath, cursor);
    outbox.confirmGivenUp(cursor.stream, cursor.ledger.givenUp ?? []);
  }

  #failed(error: Error): void {
    const { aggregator, cursorPath, log, onFailed } = this.#options;
    const folder = dirname(dirname(cursorPath));
    const problem = `${diskProblem("a batch", folder, error)}; it is kept in memory and tried again`;
    // Once for each reason, not for each attempt.
    if (problem !== this.problem) log.error({ err: error, batch: this.#cursor.nextNumber }, problem);
    this.problem = problem;
    this.isBroken = !isSystemError(error);
    this.isFull = aggregator.heldRows > MAX_HELD_ROWS;
    onFailed();
  }

  /** Counters are taken last: when anything throws before, they are where they were, for the next seal. */
  #drain(): DrainedSeal {
    const { aggregator, journal, traces, clock, host, hostSampler } = this.#options;
    const statementTexts = this.#options.statementTexts();
    const now = clock.unixMs();
    // An open request must not pin more than half of the ring.
    aggregator.abandon(journal.position - this.#options.journalCapBytes / 2, now);
    const sealed = journal.position;
    const open = aggregator.openAtSeal();
    const replayFrom = aggregator.oldestOpenPosition ?? sealed;
    const range = { sealed, replayFrom, ...(open === undefined ? {} : { open }) };
    const { stream, nextNumber } = this.#cursor;
    const hostSnapshot = hostSampler.snapshot();
    const kept = traces.drain();
    const found = extractTraces(journal, kept, statementTexts);
    const hostSeconds = hostSampler.drain();
    // Before the rows are taken: it may close instances, which adds to the rows.
    const ledgerState = this.#options.ledger.state(now);
    const rows = {
      apps: this.#apps(now),
      processSeconds: this.#processes(now),
      ...aggregator.drain(),
      events: this.#options.events.take(stream, nextNumber),
    };
    if (statementTexts === "hidden") {
      rows.statements = [];
      rows.slowStatements = rows.slowStatements.map((row) => ({ ...row, text: "" }));
    }
    const parts = splitRows(rows, MAX_ROWS_BYTES);
    const common = { version: 1 as const, stream, createdUnixMs: now, host };
    const batches = parts.map((part, i) => {
      const header = { ...common, number: nextNumber + i, ...part, traces: [] };
      if (i < parts.length - 1) {
        const before = { hostSeconds: null, hostSnapshot: null, journal: this.#cursor.journal };
        return encoded({ header: { ...header, ...before, isContinued: true }, frames: [] });
      }
      const end = { hostSeconds, hostSnapshot, journal: range, ledgerState };
      return encoded(this.#withTraces({ ...header, ...end }, kept, found));
    });
    return {
      batches,
      cursor: { stream, nextNumber: nextNumber + parts.length, journal: range, ledger: ledgerState },
    };
  }

  /** As many traces as fit beside the rows; the others are counted. */
  #withTraces(
    header: BatchHeader,
    kept: readonly KeptTrace[],
    extracted: readonly (ExtractedTrace | null)[],
  ): Batch {
    const verdicts = this.#options.whySlow.explain(
      kept.map(({ summary }, i) => ({ summary, use: extracted[i]?.use ?? null })),
    );
    const found = kept.flatMap(({ summary }, i) => {
      const trace = extracted[i];
      if (!trace) return [];
      const told = withVerdict(withRepeats(summary, trace.repeats), verdicts[i]);
      return [{ summary: told, frame: trace.frame }];
    });
    let bytes = Buffer.byteLength(JSON.stringify(header));
    const fitting = found.filter(
      ({ summary, frame }) =>
        (bytes += frame.length + Buffer.byteLength(JSON.stringify(summary))) <= MAX_BATCH_BYTES,
    );
    this.#options.traces.passedOver += found.length - fitting.length;
    return {
      header: { ...header, traces: fitting.map(({ summary }) => summary) },
      frames: fitting.map(({ frame }) => frame),
    };
  }

  #apps(nowUnixMs: number): AppInfo[] {
    const apps = new Map<string, AppInfo>();
    for (const known of this.#options.instances.recent(nowUnixMs, RECENT_MS)) {
      const { app, instance, pid, runtime, agentVersion, startUnixMs } = known;
      let info = apps.get(app);
      if (info === undefined) {
        info = { app, apdexTMs: this.#options.apdexTMs(app), instances: [] };
        apps.set(app, info);
      }
      info.instances.push({ instance, pid, runtime, agentVersion, startUnixMs, ...deploymentOf(known) });
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

function encoded(batch: Batch): DrainedSeal["batches"][number] {
  return { header: batch.header, bytes: encodeBatch(batch, "gzip") };
}
