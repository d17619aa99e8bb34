import { randomBytes } from "node:crypto";
import { statSync, unlinkSync, writeFileSync } from "node:fs";

/** Room for a usual batch and the cursor. */
const RESERVE_BYTES = 262_144;

/**
 * A file that only takes room, so that a full disk still has some for the batch and the cursor that say what was counted.
 * While it is released nothing else may be written: frames would take that room. It comes back when the disk has space again.
 */
export class DiskReserve {
  readonly #path: string;
  #isHeld = false;

  /** Takes the room; a disk that refuses it is asked again by restore(). */
  constructor(path: string) {
    this.#path = path;
    try {
      this.restore();
    } catch {
      // The gate says so, as long as it lasts.
    }
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Gives the room free; whether there was any. */
  release(): boolean {
    if (!this.#isHeld) return false;
    this.#isHeld = false;
    try {
      unlinkSync(this.#path);
      return true;
    } catch {
      return false;
    }
  }

  /** Takes the room again. Throws the file system's error. */
  restore(): void {
    if (this.#isHeld) return;
    if (!isWhole(this.#path)) {
      try {
        // Random, so that no file system stores less than it says.
        writeFileSync(this.#path, randomBytes(RESERVE_BYTES), { mode: 0o600 });
      } catch (error) {
        removeIfThere(this.#path);
        throw error;
      }
    }
    this.#isHeld = true;
  }
}

function isWhole(path: string): boolean {
  try {
    return statSync(path).size === RESERVE_BYTES;
  } catch {
    return false;
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never made.
  }
}
