import type { RecoveryStatus } from "@apm-daemon/protocol";
import { LossLedger, type LostRows } from "../aggregate/loss-ledger.ts";
import { DiskReserve } from "../disk/disk-reserve.ts";
import { FreeDisk } from "../disk/free-disk.ts";
import { Journal } from "../journal/journal.ts";
import { type Cursor, recoverCursor } from "../outbox/cursor.ts";
import { DeadLetters } from "../outbox/dead-letters.ts";
import type { NotedBatch } from "../outbox/given-up-note.ts";
import { Outbox } from "../outbox/outbox.ts";
import { PartsFolder } from "../outbox/parts-folder.ts";
import type { DaemonContext } from "./context.ts";

/** What lies below the state directory, and the ledger of what could not be kept there. */
export interface Storage {
  journal: Journal;
  reserve: DiskReserve;
  ledger: LossLedger;
  outbox: Outbox;
  parts: PartsFolder;
  deadLetters: DeadLetters;
  freeDisk: FreeDisk;
  cursor: Cursor;
  cursorPath: string;
  /** Where the cursor was found. */
  cursorSource: RecoveryStatus["cursor"];
}

/** Numbers of another stream say nothing in this one. */
export function lostRows({ stream, number, ledger }: NotedBatch, cursor: Pick<Cursor, "stream">): LostRows {
  return { number: stream === cursor.stream ? number : null, ledger };
}

/** Enough to find out why; they are of no use to the daemon. */
const DEAD_LETTERS_CAP_BYTES = 16 * 1_048_576;

/** Opens what the run before left, cut back to what its cursor says. */
export async function openStorage({ config, log, clock, path, stops }: DaemonContext): Promise<Storage> {
  const journal = new Journal({
    dir: path("journal"),
    segmentBytes: config.journal.segment_bytes,
    capBytes: config.journal.cap_bytes,
    fsync: config.journal.fsync,
    onSyncFailed: (error, segment) =>
      log.error({ err: error, segment }, "the disk refused to keep a journal segment; it is rewritten"),
  });
  stops.push(() => journal.close());
  const reserve = new DiskReserve(path("journal", "reserve"));
  const ledger = new LossLedger();
  const outbox = new Outbox({
    dir: path("outbox"),
    capBytes: config.outbox.cap_bytes,
    // What a batch held that cannot be read is found by its absence, in the totals.
    onLost: ({ header, reason }) => {
      if (header !== null) ledger.move(lostRows(header, cursor), reason);
    },
  });
  const freeDisk = new FreeDisk({
    dir: config.state_dir,
    minFreeBytes: config.limits.min_free_disk_bytes,
    givers: [journal, outbox],
  });
  const cursorPath = path("journal", "cursor.json");
  const { cursor, source } = await recoverCursor(cursorPath, outbox.newest(), journal.position, reserve);
  outbox.deleteUnfinished(cursor);
  outbox.deleteGivenUp(cursor);
  const parts = new PartsFolder(path("outbox", "parts"));
  parts.finishSplits(outbox);
  const deadLetters = new DeadLetters({
    dir: path("outbox", "dead-letter"),
    capBytes: DEAD_LETTERS_CAP_BYTES,
    clock,
  });
  journal.startFrom(cursor.journal.sealed);
  return {
    journal,
    reserve,
    ledger,
    outbox,
    parts,
    deadLetters,
    freeDisk,
    cursor,
    cursorPath,
    cursorSource: source,
  };
}
