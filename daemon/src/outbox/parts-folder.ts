/**
 * Parts of refused batches that wait for the collector, one immutable file each: `<stream>.<number>.batch`, see split-batch.ts.
 *
 * A refused batch and its rows must never both be sent, so a split goes in this order:
 *
 *   1  both halves are written, fsynced                       crash: the parent is there, so halves are of no use: see finishSplits
 *   2  the parent is deleted, its folder fsynced              crash: the halves are all there is
 *   3  the halves are offered
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import {
  type Batch,
  type BatchIdentity,
  decodeBatch,
  decodeBatchIdentity,
  encodeBatch,
  ProtocolError,
} from "@apm-daemon/protocol";
import { deleteFileDurably, writeFileAtomically } from "./atomic-file.ts";
import { parentOf } from "./split-batch.ts";

const NAME = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\d{1,16}\.batch$/;

/** What is needed of the outbox. */
interface WholeBatches {
  read(number: number): Uint8Array | null;
  delete(number: number): void;
}

export class PartsFolder {
  readonly #dir: string;
  /** Sizes by file name, in the order in which they were offered. */
  readonly #parts: Map<string, number> = new Map();
  /** Parts that were damaged on the disk, since start; they stay as `….batch.damaged`. */
  damaged = 0;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(dir)
      .filter((file) => NAME.test(file))
      .sort())
      this.#parts.set(name, statSync(join(dir, name)).size);
  }

  get count(): number {
    return this.#parts.size;
  }

  get bytes(): number {
    return [...this.#parts.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  has(name: string): boolean {
    return this.#parts.has(name);
  }

  names(): string[] {
    return [...this.#parts.keys()];
  }

  /** Decides splits that a crash interrupted: where the parent is still there, either it goes or its halves. */
  finishSplits(wholes: WholeBatches): void {
    for (const name of this.names()) {
      const parent = this.#parentOf(name);
      if (parent === null || !this.#parts.has(name)) continue;
      const isPart = this.#parts.has(fileName(parent));
      if (!isPart && !hasWhole(wholes, parent)) continue;
      if (!this.#parts.has(siblingOf(name))) this.delete(name);
      else if (isPart) this.delete(fileName(parent));
      else wholes.delete(parent.number);
    }
  }

  /** Writes both halves; durable when this resolves, and not offered yet. Rejects with the file system's error. */
  async write(halves: readonly Batch[]): Promise<{ name: string; bytes: number }[]> {
    const written: { name: string; bytes: number }[] = [];
    for (const half of halves) {
      const bytes = encodeBatch(half, "gzip");
      const name = fileName(half.header);
      await writeFileAtomically(join(this.#dir, name), bytes);
      written.push({ name, bytes: bytes.length });
    }
    return written;
  }

  offer(written: readonly { name: string; bytes: number }[]): void {
    for (const { name, bytes } of written) this.#parts.set(name, bytes);
  }

  /** A part's bytes; null when it is gone, damaged or a later release's, then it is out of the way. Throws the file system's other errors. */
  read(name: string): Buffer | null {
    const path = join(this.#dir, name);
    try {
      const bytes = readFileSync(path);
      decodeBatch(bytes);
      return bytes;
    } catch (error) {
      const isDamaged = error instanceof ProtocolError && error.code !== "VERSION_UNSUPPORTED";
      if (!(error instanceof ProtocolError) && (error as NodeJS.ErrnoException).code !== "ENOENT")
        throw error;
      this.#parts.delete(name);
      if (isDamaged) this.#putAside(path);
      return null;
    }
  }

  delete(name: string): void {
    this.#parts.delete(name);
    try {
      unlinkSync(join(this.#dir, name));
    } catch {
      // As with whole batches: it is sent again after the next start, and known to the collector.
    }
  }

  /** Durable when this resolves. Rejects with the file system's error, and then the part is still there. */
  async deleteDurably(name: string): Promise<void> {
    await deleteFileDurably(join(this.#dir, name));
    this.#parts.delete(name);
  }

  #putAside(path: string): void {
    this.damaged++;
    try {
      renameSync(path, `${path}.damaged`);
    } catch {
      // The disk refuses: it is out of the queue either way, and counted.
    }
  }

  /** Null when the file cannot be read as a part: then nothing is decided by it. */
  #parentOf(name: string): BatchIdentity | null {
    try {
      return parentOf(decodeBatch(readFileSync(join(this.#dir, name))).header);
    } catch {
      return null;
    }
  }
}

function fileName({ stream, number }: BatchIdentity): string {
  return `${stream}.${number}.batch`;
}

function hasWhole(wholes: WholeBatches, { stream, number }: BatchIdentity): boolean {
  const bytes = wholes.read(number);
  return bytes !== null && decodeBatchIdentity(bytes).stream === stream;
}

function siblingOf(name: string): string {
  const [stream = "", number = ""] = name.split(".");
  return fileName({ stream, number: Number(number) ^ 1 });
}
