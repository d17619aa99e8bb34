import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeBatch, type LedgerRow } from "@apm-daemon/protocol";

/** A batch that waits in the outbox; `ledger` is null when it cannot be read. */
export interface WaitingLedger {
  number: number;
  ledger: LedgerRow[] | null;
}

/** The ledger rows of the stream's batches in an outbox folder with numbers below `nextNumber`, ascending. Throws the file system's error. */
export function readOutboxRows(dir: string, stream: string, nextNumber: number): WaitingLedger[] {
  const numbers = readdirSync(dir).flatMap((name) => /^(\d{12})\.batch$/.exec(name)?.[1] ?? []);
  return numbers
    .map(Number)
    .filter((number) => number < nextNumber)
    .sort((a, b) => a - b)
    .flatMap((number) => readOne(join(dir, `${String(number).padStart(12, "0")}.batch`), number, stream));
}

function readOne(path: string, number: number, stream: string): WaitingLedger[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return []; // Acknowledged and deleted since the folder was listed.
  }
  try {
    const { header } = decodeBatch(bytes);
    return header.stream === stream ? [{ number, ledger: header.ledger }] : [];
  } catch {
    return [{ number, ledger: null }];
  }
}
