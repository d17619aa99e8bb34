/**
 * What a start makes of what the run before left: the cursor says where to go on, the journal what was not sealed.
 *
 * Invariants
 * - Counters are exact after a crash at any moment: frames before the sealed position are in a batch, those after it are counted
 *   again, once, in the order in which they came. Requests that were open at the seal are rebuilt from `replayFrom` on, and at the
 *   sealed position the counters are discarded while the open requests stay (aggregate/aggregator.ts).
 * - Each instance's last sequence number is learned from all frames that are left, so what an agent sends again is known.
 * - Damage never keeps the daemon from starting: what can be read is taken, the rest is set aside and counted.
 * - The batches that wait are not read, but for the newest.
 *
 * Not promised: frames that were acknowledged and not sealed when both the cursor and every batch are lost; the source is then
 * "lost", since counting them could count them twice.
 */
import { type RecoveryStatus, sequenceOf } from "@apm-daemon/protocol";
import type { Aggregator } from "./aggregate/aggregator.ts";
import type { LossLedger, LossReason } from "./aggregate/loss-ledger.ts";
import type { FrameIntake } from "./intake/frame-intake.ts";
import type { AppInstance, InstanceRegistry } from "./intake/instance-registry.ts";
import type { Journal } from "./journal/journal.ts";
import type { JournalRecord } from "./journal/journal-record.ts";
import type { Cursor } from "./outbox/cursor.ts";
import type { TraceKeeper } from "./traces/trace-keeper.ts";

export interface RecoveryOptions {
  journal: Journal;
  cursor: Cursor;
  instances: InstanceRegistry;
  intake: FrameIntake;
  aggregator: Aggregator;
  ledger: LossLedger;
  traces: TraceKeeper;
  /** Told of each frame found, counted before or not. */
  onFrame?: (
    instance: AppInstance,
    type: number,
    payload: Buffer,
    position: number,
    receivedUnixMs: number,
  ) => void;
  nowUnixMs: number;
}

export type RecoveryReport = Pick<
  RecoveryStatus,
  "framesFound" | "framesReplayed" | "unreadableBytes" | "quarantinedBytes"
>;

/** Reads the journal of the run before, and counts what no batch has. */
export function recover(options: RecoveryOptions): RecoveryReport {
  const { journal, cursor, instances, intake, aggregator, ledger, traces, nowUnixMs } = options;
  const { sealed, replayFrom } = cursor.journal;
  const byReference = new Map<number, AppInstance>();
  let framesFound = 0;
  let framesReplayed = 0;
  let isPastSeal = false;
  const discardOnce = (): void => {
    if (isPastSeal) return;
    isPastSeal = true;
    aggregator.discardCounts();
    ledger.restore(cursor.ledger);
    traces.drain();
  };
  const visit = (record: JournalRecord, position: number): void => {
    if (record.type === "instance") {
      const instance = instances.recover(record.json, position >= sealed);
      if (instance !== null) byReference.set(record.reference, instance);
      return;
    }
    const instance = byReference.get(record.reference);
    if (instance === undefined) return;
    const { messageType: type, payload, receivedUnixMs } = record;
    const sequence = sequenceOf(payload);
    // A frame is there twice when its write was reported as failed, and the agent sent it again.
    if (sequence <= instance.lastSequence) return;
    framesFound++;
    instance.lastSequence = sequence;
    // Who is counted now is named in the next batch, however long the daemon was away.
    instance.goneUnixMs = position < sealed ? receivedUnixMs : nowUnixMs;
    options.onFrame?.(instance, type, payload, position, receivedUnixMs);
    if (position < replayFrom) return;
    if (position >= sealed) {
      discardOnce();
      framesReplayed++;
    }
    intake.replay(instance, { type, sequence, payload }, position, receivedUnixMs);
  };
  aggregator.expectOpen(cursor.journal.open);
  journal.replay(visit);
  discardOnce();
  ledger.explainLosses(lossReason(journal, cursor));
  journal.trim(replayFrom);
  const { unreadableBytes, quarantinedBytes } = journal;
  return { framesFound, framesReplayed, unreadableBytes, quarantinedBytes };
}

/** Why frames that were acknowledged and not sealed may be missing from the journal. */
function lossReason(journal: Journal, { journal: { sealed } }: Cursor): LossReason {
  if (journal.firstPosition > sealed) return "journal_full";
  return journal.unreadableBytes > 0 ? "corrupt" : "unexplained";
}
