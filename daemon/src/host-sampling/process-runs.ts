import { readFileSync } from "node:fs";
import { ProcessFiles } from "./process-files.ts";

/** Three numbers of at most 20 digits. */
const BYTES = 128;
const ZERO = 48;

/** How much a process had run when it was asked last; NaN before. */
export interface RunMark {
  ranNs: number;
  slices: number;
}

/**
 * Whether a process has run since it was asked last, by /proc/PID/schedstat: half of what reading its stat costs, and on most hosts
 * most processes sleep. The file tells of the main thread alone. Its numbers: Documentation/scheduler/sched-stats.rst of Linux.
 */
export class ProcessRuns {
  readonly #files: ProcessFiles;
  readonly #bytes: Buffer = Buffer.allocUnsafe(BYTES);
  /** Kernels are built and booted without these counters, or with ones that stay zero. */
  readonly #isCounted: boolean;

  constructor(procRoot: string, maxOpenFiles: number) {
    this.#files = new ProcessFiles(procRoot, "schedstat", maxOpenFiles);
    this.#isCounted = isCounted(`${procRoot}/self/schedstat`);
  }

  /** False when it ran, and when that is not known. Keeps in `mark` what it found. */
  hasSlept(pid: number, mark: RunMark): boolean {
    if (!this.#isCounted) return false;
    const length = this.#files.read(pid, this.#bytes);
    let at = 0;
    const nextNumber = (): number => {
      let value = 0;
      for (; at < length; at++) {
        const digit = (this.#bytes[at] ?? 0) - ZERO;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      at++;
      return value;
    };
    const ranNs = nextNumber();
    nextNumber();
    const slices = nextNumber();
    const hasSlept = slices > 0 && ranNs === mark.ranNs && slices === mark.slices;
    mark.ranNs = ranNs;
    mark.slices = slices;
    return hasSlept;
  }

  close(pid: number): void {
    this.#files.close(pid);
  }

  closeAll(): void {
    this.#files.closeAll();
  }
}

function isCounted(path: string): boolean {
  try {
    const [ranNs = 0, , slices = 0] = readFileSync(path, "latin1").split(" ").map(Number);
    return ranNs > 0 && slices > 0;
  } catch {
    return false;
  }
}
