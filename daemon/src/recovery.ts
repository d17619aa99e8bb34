import { sequenceOf } from "@apm-daemon/protocol";
import type { Aggregator } from "./aggregate/aggregator.ts";
import type { LossLedger, LossReason } from "./aggregate/loss-ledger.ts";
import type { FrameIntake } from "./intake/frame-intake.ts";
import type { AppInstance, InstanceRegistry } from "./intake/instance-registry.ts";
import type { Journal } from "./journal/journal.ts";
import type { JournalRecord } from "./journal/segment.ts";
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
  nowUnixMs: number;
}

export interface RecoveryReport {
  framesFound: number;
  /** Frames counted again because no batch had them. */
  framesReplayed: number;
  unreadableBytes: number;
}

/**
 * Reads the journal of the run before: learns what each instance has sent, rebuilds the requests that were open at the last
 * seal, and counts what came after it. See aggregator.ts for why the counters are discarded at the sealed position.
 */
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
    ledger.restore(cursor.ledger, nowUnixMs);
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
  return { framesFound, framesReplayed, unreadableBytes: journal.unreadableBytes };
}

/** Why frames that were acknowledged and not sealed may be missing from the journal. */
function lossReason(journal: Journal, { journal: { sealed } }: Cursor): LossReason {
  if (journal.firstPosition > sealed) return "journal_full";
  return journal.unreadableBytes > 0 ? "corrupt" : "unexplained";
}
