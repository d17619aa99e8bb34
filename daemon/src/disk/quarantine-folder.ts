import { mkdirSync, readdirSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Damaged bytes are kept for whoever wants to look at them, but never much of the disk. */
const QUARANTINE_CAP_BYTES = 16_777_216;

/**
 * A folder for bytes that could not be read: whole within its cap, the oldest file goes first. Nothing here throws: a disk
 * that refuses the copy must not keep the daemon from its work.
 */
export class QuarantineFolder {
  readonly #dir: string;
  readonly #capBytes: number;
  /** Put here since start. */
  keptBytes = 0;
  /** Bytes that were not put here, or went again, because of the cap or the disk, since start. */
  givenUpBytes = 0;

  constructor(dir: string, capBytes: number = QUARANTINE_CAP_BYTES) {
    this.#dir = dir;
    this.#capBytes = capBytes;
  }

  /** Copies bytes here; ones that lie here already by this name are the same. */
  copy(name: string, bytes: Buffer): void {
    this.#put(name, bytes.length, (path) => writeFileSync(path, bytes, { mode: 0o600, flag: "wx" }));
  }

  /** Moves a file here. */
  move(path: string, name: string): void {
    let bytes = 0;
    try {
      bytes = statSync(path).size;
    } catch {
      return; // It is gone: nothing is left to be kept.
    }
    this.#put(name, bytes, (target) => renameSync(path, target));
  }

  #put(name: string, bytes: number, write: (path: string) => void): void {
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
      this.#makeRoom(bytes);
      if (bytes > this.#capBytes) this.givenUpBytes += bytes;
      else {
        write(join(this.#dir, name));
        this.keptBytes += bytes;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
      this.givenUpBytes += bytes;
    }
  }

  #makeRoom(bytes: number): void {
    const files = readdirSync(this.#dir).map((name) => {
      const { size, mtimeMs } = statSync(join(this.#dir, name));
      return { name, size, mtimeMs };
    });
    let total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { name, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs || (a.name < b.name ? -1 : 1))) {
      if (total + bytes <= this.#capBytes) return;
      unlinkSync(join(this.#dir, name));
      total -= size;
      this.givenUpBytes += size;
    }
  }
}
