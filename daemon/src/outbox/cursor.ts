/**
 * How far the daemon has come: the stream's id, the next batch's number, and of the last sealed batch the journal range and
 * the loss ledger.
 *
 * A batch in the outbox, the last one of its seal, is the commit; the cursor follows it. So after a crash the newest of both decides: a batch whose
 * number is at least the cursor's next number was sealed and not yet noted. A batch is deleted only after the cursor has it.
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { type BatchHeader, decodeBatch, type JournalRange, type LedgerState } from "@apm-daemon/protocol";
import { isOutOfSpace } from "../disk/disk-problem.ts";
import type { DiskReserve } from "../disk/disk-reserve.ts";
import { writeFileAtomically } from "./atomic-file.ts";

export interface Cursor {
  stream: string;
  nextNumber: number;
  journal: JournalRange;
  /** The loss ledger at the sealed position. */
  ledger: LedgerState;
}

const EMPTY_LEDGER: LedgerState = { apps: [], instances: [] };

export interface CursorRecovery {
  cursor: Cursor;
  /** "lost": nothing says what was sealed before; the journal's old frames cannot be counted again without risk. */
  source: "new" | "file" | "outbox" | "lost";
}

/**
 * Finds where to go on, and notes it, on a full disk in the reserve's place. `newestBatch` is the outbox's newest batch file, null
 * when it is empty. Rejects with the file system's error.
 */
export async function recoverCursor(
  path: string,
  newestBatch: Uint8Array | null,
  journalEnd: number,
  reserve?: Pick<DiskReserve, "release">,
): Promise<CursorRecovery> {
  const recovery = findCursor(path, newestBatch, journalEnd);
  // At once: the batch that tells it may be sent and deleted, and what comes in before the first seal must be replayed.
  if (recovery.source !== "file")
    await writeCursor(path, recovery.cursor).catch((error: unknown) => {
      if (!isOutOfSpace(error) || reserve?.release() !== true) throw error;
      return writeCursor(path, recovery.cursor);
    });
  return recovery;
}

function findCursor(path: string, newestBatch: Uint8Array | null, journalEnd: number): CursorRecovery {
  const saved = readCursor(path);
  const sealed = newestBatch === null ? null : headerOf(newestBatch);
  if (
    sealed !== null &&
    sealed.isContinued !== true &&
    (saved === null || (sealed.stream === saved.stream && sealed.number >= saved.nextNumber))
  ) {
    return {
      cursor: {
        stream: sealed.stream,
        nextNumber: sealed.number + 1,
        journal: sealed.journal,
        ledger: sealed.ledgerState ?? EMPTY_LEDGER,
      },
      source: "outbox",
    };
  }
  if (saved !== null) return { cursor: saved, source: "file" };
  const journal = { sealed: journalEnd, replayFrom: journalEnd };
  return {
    cursor: { stream: randomUUID(), nextNumber: 1, journal, ledger: EMPTY_LEDGER },
    source: journalEnd === 0 ? "new" : "lost",
  };
}

export function writeCursor(path: string, cursor: Cursor): Promise<void> {
  return writeFileAtomically(path, Buffer.from(JSON.stringify(cursor)));
}

/** Null when there is none that can be read. */
export function readCursor(path: string): Cursor | null {
  try {
    const { stream, nextNumber, journal, ledger } = JSON.parse(readFileSync(path, "utf8")) as Partial<Cursor>;
    const isWhole =
      typeof stream === "string" &&
      Number.isSafeInteger(nextNumber) &&
      Number.isSafeInteger(journal?.sealed) &&
      Number.isSafeInteger(journal?.replayFrom);
    return isWhole ? ({ stream, nextNumber, journal, ledger: ledger ?? EMPTY_LEDGER } as Cursor) : null;
  } catch {
    return null;
  }
}

function headerOf(bytes: Uint8Array): BatchHeader | null {
  try {
    return decodeBatch(bytes).header;
  } catch {
    return null;
  }
}
