import { open, unlink } from "node:fs/promises";
import type { WatchedPart } from "./watchdog.ts";

/** A block of any file system, so that a full one refuses it. */
const PROBE = Buffer.alloc(4_096);

/**
 * Writes a small file again and again, to see whether a folder's disk still answers. A disk that refuses does answer; one
 * that hangs would hang the journal's next write, and with it the whole daemon.
 */
export class DiskProbe implements WatchedPart {
  readonly name: string;
  readonly #path: string;
  readonly #patienceMs: number;
  readonly #monoMs: () => number;
  #sinceMonoMs: number | null = null;

  constructor(options: { name: string; path: string; patienceMs: number; monoMs: () => number }) {
    this.name = options.name;
    this.#path = options.path;
    this.#patienceMs = options.patienceMs;
    this.#monoMs = options.monoMs;
  }

  stall(): string {
    const now = this.#monoMs();
    if (this.#sinceMonoMs === null) {
      this.#sinceMonoMs = now;
      void this.#probe();
    }
    const waitedMs = now - this.#sinceMonoMs;
    return waitedMs > this.#patienceMs
      ? `a write to its disk has hung for ${Math.round(waitedMs / 1_000)} s`
      : "";
  }

  async #probe(): Promise<void> {
    try {
      const file = await open(this.#path, "w", 0o600);
      try {
        await file.write(PROBE);
      } finally {
        await file.close();
      }
      await unlink(this.#path);
    } catch {
      // Refused is answered.
    }
    this.#sinceMonoMs = null;
  }
}
