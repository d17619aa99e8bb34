/**
 * Sealed batches that the collector has not committed yet, one immutable file each (`<number>.batch`).
 *
 * Invariants
 * - A batch is offered for sending only after the cursor has it, and deleted only when the collector has committed it, or counted.
 * - All together stay within the cap: room is made before a batch is written, oldest first. The newest seal is never given up
 *   for room, so an outbox whose cap is smaller than that holds just it.
 * - At start nothing but the newest batch is read, however many wait; sizes are the files' own. A batch is checked when it is read.
 * - What cannot be read is moved to `quarantine/` (which has a cap of its own), and never sent. A batch in a format of a later release
 *   stays where it is: never sent, never deleted, not counted against the cap.
 *
 * - What a batch held is noted before it is deleted for room (GivenUpNote), until a cursor has it: a crash in between loses no count.
 *
 * Not promised: that a batch which was deleted for room reaches anybody; `onLost` gets its header, so that what it held is counted. Nor that it
 * reached nobody: one that was committed and whose acknowledgement was lost with the connection may be given up, and is stored and counted as lost.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { type BatchHeader, type BatchRun, decodeBatch, ProtocolError } from "@apm-daemon/protocol";
import { BatchRuns } from "../aggregate/batch-runs.ts";
import { QuarantineFolder } from "../disk/quarantine-folder.ts";
import { deleteFileDurably, writeFileAtomically } from "./atomic-file.ts";
import type { Cursor } from "./cursor.ts";
import { GivenUpNote, type NotedBatch } from "./given-up-note.ts";

/** A batch that will not reach the collector; the header is null when it cannot be decoded. */
export interface LostBatch {
  number: number;
  reason: "outbox_full" | "outbox_corrupt";
  header: BatchHeader | null;
}

export interface OutboxOptions {
  dir: string;
  capBytes: number;
  onLost?: (lost: LostBatch) => void;
}

interface WaitingBatch {
  number: number;
  bytes: number;
  sealedUnixMs: number;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #batches = new Map<number, WaitingBatch>();
  /** Bytes of batches that are written, and not offered yet. */
  readonly #unoffered = new Map<number, number>();
  /** Names of batches in a format of a later release. */
  readonly #newer = new Set<string>();
  readonly #quarantine: QuarantineFolder;
  readonly #givenUp: GivenUpNote;
  #bytes = 0;
  /** Batches deleted unsent to make room, since start. */
  droppedBatches = 0;
  quarantinedBatches = 0;
  /** Batches that were sent and not answered yet: they go last, since the collector may have them. */
  isOnItsWay: (number: number) => boolean = () => false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#quarantine = new QuarantineFolder(join(options.dir, "quarantine"));
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    this.#givenUp = new GivenUpNote(join(options.dir, "given-up.jsonl"));
    const numbers: number[] = [];
    for (const name of readdirSync(options.dir)) {
      const number = /^(\d{12})\.batch$/.exec(name)?.[1];
      if (number !== undefined) numbers.push(Number(number));
      else if (/^\d{12}\.batch\.tmp$/.test(name)) unlinkIfPossible(join(options.dir, name));
      else if (/^\d{12}\.batch\.newer/.test(name)) this.#newer.add(name);
    }
    // A crash, or the disk, left the file of what is counted as lost.
    const left = this.givenUp.filter(
      ({ stream, number }) => numbers.includes(number) && this.#isOf(stream, number),
    );
    for (const { number } of left) unlinkIfPossible(this.#path(number));
    const gone = new Set(left.map(({ number }) => number));
    for (const number of numbers.filter((one) => !gone.has(one)).sort((a, b) => a - b)) {
      const { size, mtimeMs } = statSync(this.#path(number));
      this.#keep({ number, bytes: size, sealedUnixMs: mtimeMs });
    }
  }

  get count(): number {
    return this.#batches.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest waiting batch was sealed; null when none waits. */
  get oldestUnixMs(): number | null {
    for (const batch of this.#batches.values()) return batch.sealedUnixMs;
    return null;
  }

  /** Names of files that only a later release reads, as far as they were met. */
  get newerFiles(): string[] {
    return [...this.#newer];
  }

  get quarantineGivenUpBytes(): number {
    return this.#quarantine.givenUpBytes;
  }

  /** Numbers of the waiting batches, oldest first. */
  numbers(): number[] {
    return [...this.#batches.keys()];
  }

  /** Bytes of the newest batch that can be read; null when none waits. */
  newest(): Uint8Array | null {
    for (const number of this.numbers().toReversed()) {
      const bytes = this.read(number);
      if (bytes !== null) return bytes;
    }
    return null;
  }

  /** Deletes batches of the cursor's stream that its ledger counts as given up: the disk had kept them, or brought them back. */
  deleteGivenUp({ stream, ledger }: Pick<Cursor, "stream" | "ledger">): void {
    const givenUp = new BatchRuns(ledger.givenUp);
    for (const number of this.numbers())
      if (givenUp.has(number) && this.#isOf(stream, number)) this.delete(number);
  }

  /**
   * Deletes what a crash left of a seal whose last batch is missing: none of it was offered, and the journal has it still.
   * `cursor` is where the stream goes on. Throws the file system's error.
   */
  deleteUnfinished(cursor: { stream: string; nextNumber: number }): void {
    for (const number of this.numbers().filter((candidate) => candidate >= cursor.nextNumber)) {
      const bytes = this.read(number);
      if (bytes === null) continue;
      const { header } = decodeBatch(bytes);
      if (header.isContinued === true && header.stream === cursor.stream) this.delete(number);
    }
  }

  /** Stores a batch, durable when this resolves; it is not offered for sending yet. Rejects with the file system's error. */
  async write(number: number, bytes: Uint8Array): Promise<void> {
    this.#unoffered.set(number, bytes.length);
    this.#makeRoom(0);
    if (this.#newer.has(fileName(number))) this.#makeWay(number);
    await writeFileAtomically(this.#path(number), bytes);
  }

  /** A later release's batch of the same number is another one: it keeps its bytes under another name. */
  #makeWay(number: number): void {
    const name = fileName(number);
    let kept = `${name}.newer`;
    for (let i = 2; this.#newer.has(kept); i++) kept = `${name}.newer.${i}`;
    renameSync(this.#path(number), join(this.#options.dir, kept));
    this.#newer.delete(name);
    this.#newer.add(kept);
  }

  /** Offers a written batch for sending. */
  offer(number: number, bytes: number, sealedUnixMs: number): void {
    this.#unoffered.delete(number);
    this.#keep({ number, bytes, sealedUnixMs });
    this.#makeRoom(1);
  }

  /** Batches that were deleted for room, and that no cursor was known to have. */
  get givenUp(): readonly NotedBatch[] {
    return this.#givenUp.batches;
  }

  /** The cursor of that stream, on the disk, has these among what was given up. */
  confirmGivenUp(stream: string, runs: readonly BatchRun[]): void {
    this.#givenUp.forget(stream, runs);
  }

  /** Deletes the oldest batch, unless it is the newest too; answers its bytes, 0 when there is none. */
  giveOldest(): number {
    while (this.#batches.size > 1) {
      const number = this.#firstToGo(1);
      const bytes = this.#batches.get(number)?.bytes ?? 0;
      if (this.#drop(number)) return bytes;
    }
    return 0;
  }

  /** A batch's bytes; null when it is gone or damaged, then it is out of the way. Throws the file system's other errors. */
  read(number: number): Uint8Array | null {
    if (!this.#batches.has(number)) return null;
    try {
      const bytes = readFileSync(this.#path(number));
      decodeBatch(bytes);
      return bytes;
    } catch (error) {
      if (isOfLaterRelease(error)) {
        this.#forget(number);
        this.#newer.add(fileName(number));
        return null;
      }
      const isLost = error instanceof ProtocolError || (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!isLost) throw error;
      this.quarantine(number);
      this.#options.onLost?.({ number, reason: "outbox_corrupt", header: null });
      return null;
    }
  }

  delete(number: number): void {
    this.#forget(number);
    // When the disk refuses, it is sent again after the next start, and known to the collector.
    unlinkIfPossible(this.#path(number));
  }

  /** Durable when this resolves. Rejects with the file system's error, and then the batch is still there. */
  async deleteDurably(number: number): Promise<void> {
    await deleteFileDurably(this.#path(number));
    this.#forget(number);
  }

  /** Puts a batch aside that can never be sent. */
  quarantine(number: number): void {
    this.#forget(number);
    this.quarantinedBatches++;
    this.#quarantine.move(this.#path(number), `${fileName(number)}.${Date.now()}`);
  }

  /** Gives batches up, oldest first, until all fit the cap; `keep` of those that wait stay. */
  #makeRoom(keep: number): void {
    const unoffered = [...this.#unoffered.values()].reduce((sum, bytes) => sum + bytes, 0);
    while (this.#bytes + unoffered > this.#options.capBytes && this.#batches.size > keep)
      this.#drop(this.#firstToGo(keep));
  }

  /** The oldest that is not on its way, else the oldest; the `keep` newest are none of them. */
  #firstToGo(keep: number): number {
    const numbers = this.numbers();
    const free = numbers.slice(0, numbers.length - keep).find((number) => !this.isOnItsWay(number));
    return free ?? (numbers[0] as number);
  }

  /** Deletes a batch unsent, counted; false when it is of a later release, and so left alone. */
  #drop(number: number): boolean {
    const header = this.#headerOf(number);
    this.#forget(number);
    if (header === "newer") {
      this.#newer.add(fileName(number));
      return false;
    }
    if (header !== null) this.#givenUp.add(header);
    unlinkIfPossible(this.#path(number));
    this.droppedBatches++;
    this.#options.onLost?.({ number, reason: "outbox_full", header });
    return true;
  }

  #isOf(stream: string, number: number): boolean {
    const header = this.#headerOf(number);
    return header !== null && header !== "newer" && header.stream === stream;
  }

  #headerOf(number: number): BatchHeader | "newer" | null {
    try {
      return decodeBatch(readFileSync(this.#path(number))).header;
    } catch (error) {
      return isOfLaterRelease(error) ? "newer" : null;
    }
  }

  #keep(batch: WaitingBatch): void {
    this.#forget(batch.number);
    this.#batches.set(batch.number, batch);
    this.#bytes += batch.bytes;
  }

  #forget(number: number): void {
    this.#bytes -= this.#batches.get(number)?.bytes ?? 0;
    this.#batches.delete(number);
  }

  #path(number: number): string {
    return join(this.#options.dir, fileName(number));
  }
}

function isOfLaterRelease(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === "VERSION_UNSUPPORTED";
}

function fileName(number: number): string {
  return `${String(number).padStart(12, "0")}.batch`;
}

function unlinkIfPossible(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, or the disk refuses: the next start finds it again.
  }
}
