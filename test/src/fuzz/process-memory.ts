import { readFileSync } from "node:fs";

/** Resident memory of a process now, in bytes. Linux only. */
export function rssBytesOf(pid: number): number {
  return 1_024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}

const SAMPLE_MS = 500;

/**
 * Watches how much memory a process has. One look says little: between two collections of garbage a heap grows by half, so the
 * median of the last quarter of each of two times is compared.
 */
export class RssWatch {
  readonly #samples: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      try {
        this.#samples.push(rssBytesOf(pid));
      } catch {
        clearInterval(this.#timer);
      }
    }, SAMPLE_MS);
  }

  /** Ends the time so far: the median of its last quarter in bytes, 0 when there was not one sample. */
  settle(): number {
    const samples = this.#samples.splice(0);
    const last = samples.slice(Math.floor(samples.length * 0.75)).sort((a, b) => a - b);
    return last[Math.floor(last.length / 2)] ?? 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
