import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { decodeBatch, ProtocolError } from "@apm-daemon/protocol";
import { writeFileAtomically } from "./atomic-file.ts";

export interface OutboxOptions {
  dir: string;
  capBytes: number;
}

interface WaitingBatch {
  number: number;
  bytes: number;
  sealedUnixMs: number;
}

/**
 * Sealed batches that the collector has not committed yet, one immutable file each (`<number>.batch`). When they exceed
 * the cap the oldest goes first, counted. What cannot be read is moved to `quarantine/`, never sent, never deleted here.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #batches = new Map<number, WaitingBatch>();
  #bytes = 0;
  /** Batches deleted unsent because of the cap, since start. */
  droppedBatches = 0;
  quarantinedBatches = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    const numbers = readdirSync(options.dir).flatMap((name) => /^(\d{12})\.batch$/.exec(name)?.[1] ?? []);
    for (const number of numbers.map(Number).sort((a, b) => a - b)) {
      const { size, mtimeMs } = statSync(this.#path(number));
      this.#note({ number, bytes: size, sealedUnixMs: mtimeMs });
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
  write(number: number, bytes: Uint8Array): Promise<void> {
    return writeFileAtomically(this.#path(number), bytes);
  }

  /** Offers a written batch for sending. */
  offer(number: number, bytes: number, sealedUnixMs: number): void {
    this.#note({ number, bytes, sealedUnixMs });
    while (this.#bytes > this.#options.capBytes && this.#batches.size > 1) {
      const [oldest] = this.#batches.keys();
      this.delete(oldest as number);
      this.droppedBatches++;
    }
  }

  /** A batch's bytes; null when it is gone or damaged, then it is out of the way. Throws the file system's other errors. */
  read(number: number): Uint8Array | null {
    if (!this.#batches.has(number)) return null;
    try {
      const bytes = readFileSync(this.#path(number));
      decodeBatch(bytes);
      return bytes;
    } catch (error) {
      const isLost = error instanceof ProtocolError || (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!isLost) throw error;
      this.quarantine(number);
      return null;
    }
  }

  delete(number: number): void {
    this.#forget(number);
    try {
      unlinkSync(this.#path(number));
    } catch {
      // Gone already, or the disk refuses: then it is sent again after the next start, and known to the collector.
    }
  }

  /** Puts a batch aside that can never be sent. */
  quarantine(number: number): void {
    this.#forget(number);
    this.quarantinedBatches++;
    const folder = join(this.#options.dir, "quarantine");
    try {
      mkdirSync(folder, { recursive: true });
      renameSync(this.#path(number), join(folder, `${fileName(number)}.${Date.now()}`));
    } catch {
      // The file is gone or the disk refuses: it is out of the queue either way, and counted.
    }
  }

  #note(batch: WaitingBatch): void {
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

function fileName(number: number): string {
  return `${String(number).padStart(12, "0")}.batch`;
}
