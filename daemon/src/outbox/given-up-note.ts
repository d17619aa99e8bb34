import { closeSync, fsyncSync, openSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import type { BatchHeader, BatchRun } from "@apm-daemon/protocol";
import { BatchRuns } from "../aggregate/batch-runs.ts";

/** What must be known of a batch that was given up. */
export type NotedBatch = Pick<BatchHeader, "stream" | "number" | "ledger">;

/**
 * A file that remembers what batches held that were given up, a line of JSON each, until the ledger on the disk has it.
 *
 * Not promised: on a disk that takes no line the note is in memory alone, and a crash then shows as spans that are missing; what an outbox
 * still has of another stream, after the cursor was lost, may be booked never or twice when a crash follows.
 */
export class GivenUpNote {
  readonly #path: string;
  #batches: NotedBatch[];

  constructor(path: string) {
    this.#path = path;
    this.#batches = linesOf(path).flatMap(notedIn);
  }

  /** Oldest first. */
  get batches(): readonly NotedBatch[] {
    return this.#batches;
  }

  /** On the disk when this returns, unless the disk refuses. */
  add({ stream, number, ledger }: NotedBatch): void {
    const batch = { stream, number, ledger };
    this.#batches.push(batch);
    try {
      writeLines(this.#path, "a", [batch]);
    } catch {
      // The batch is deleted all the same: room is needed.
    }
  }

  /** A ledger of that stream has these runs on the disk. Notes of other streams are worth nothing any more: they were booked without number. */
  forget(stream: string, runs: readonly BatchRun[]): void {
    if (this.#batches.length === 0) return;
    const known = new BatchRuns(runs);
    const left = this.#batches.filter((batch) => batch.stream === stream && !known.knows(batch.number));
    if (left.length === this.#batches.length) return;
    this.#batches = left;
    try {
      if (left.length === 0) unlinkSync(this.#path);
      else {
        writeLines(`${this.#path}.tmp`, "w", left);
        renameSync(`${this.#path}.tmp`, this.#path);
      }
    } catch {
      // Those that stay too long in the file are told from the others by the ledger.
    }
  }
}

/** Each on a line of its own, whatever an append that failed left before it. */
function writeLines(path: string, flag: "a" | "w", batches: readonly NotedBatch[]): void {
  const file = openSync(path, flag, 0o600);
  try {
    writeFileSync(file, batches.map((batch) => `\n${JSON.stringify(batch)}\n`).join(""));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}

/** None in a line that a crash cut off. */
function notedIn(line: string): NotedBatch[] {
  try {
    const { stream, number, ledger } = JSON.parse(line) as Partial<NotedBatch>;
    if (typeof stream !== "string" || !Number.isSafeInteger(number) || !Array.isArray(ledger)) return [];
    return [{ stream, number: number as number, ledger }];
  } catch {
    return [];
  }
}
