import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type BatchHeader, decodeBatch, type LedgerRow } from "@apm-daemon/protocol";

/** A batch that waits in the outbox, or a part of one; `ledger` is null when it cannot be read. */
export interface WaitingLedger {
  number: number;
  ledger: LedgerRow[] | null;
  /** What is left of a batch that the collector refused as a whole: other parts of it may be stored. */
  isPart: boolean;
}

/** The ledger rows of the stream's batches in an outbox folder with numbers below `nextNumber`. Throws the file system's error. */
export function readOutboxRows(dir: string, stream: string, nextNumber: number): WaitingLedger[] {
  const wholes = readdirSync(dir)
    .flatMap((name) => /^(\d{12})\.batch$/.exec(name)?.[1] ?? [])
    .filter((number) => Number(number) < nextNumber)
    .flatMap((number) => readWhole(join(dir, `${number}.batch`), Number(number), stream));
  return [...wholes, ...readParts(join(dir, "parts"), stream)].sort((a, b) => a.number - b.number);
}

function readWhole(path: string, number: number, stream: string): WaitingLedger[] {
  const header = readHeader(path);
  if (header === "gone") return [];
  if (header === null) return [{ number, ledger: null, isPart: false }];
  return header.stream === stream ? [{ number, ledger: header.ledger, isPart: false }] : [];
}

function readParts(dir: string, stream: string): WaitingLedger[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir).flatMap((name): WaitingLedger[] => {
    const header = name.endsWith(".batch") ? readHeader(join(dir, name)) : null;
    if (header === null || header === "gone" || header.partOf?.stream !== stream) return [];
    return [{ number: header.partOf.number, ledger: header.ledger, isPart: true }];
  });
}

/** "gone": acknowledged and deleted since the folder was listed; null: damaged. */
function readHeader(path: string): BatchHeader | "gone" | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return "gone";
  }
  try {
    return decodeBatch(bytes).header;
  } catch {
    return null;
  }
}
