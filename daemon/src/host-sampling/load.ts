import { readdirSync, statSync } from "node:fs";
import { presentOrNull } from "./counter-rate.ts";
import { ProcFile, type ProcScanner } from "./proc-scanner.ts";

/** The kernel adds a folder to /proc only when a module comes or goes. */
const RECOUNT_AFTER_SAMPLES = 60;
/** "." and the entry in the parent, as in any folder's link count. */
const OWN_LINKS = 2;

interface LoadValues {
  load1: number | null;
  load5: number | null;
  load15: number | null;
  processCount: number | null;
}

/**
 * Load averages and the number of processes. The second is what the link count of /proc exceeds its other folders by:
 * one system call instead of listing thousands of entries, and the host's number even inside a container.
 */
export class Load {
  readonly #procRoot: string;
  readonly files: readonly ProcFile[];
  readonly #file: ProcFile;
  readonly #scanner: ProcScanner;
  #otherLinks = Number.NaN;
  #samplesUntilRecount = 0;

  constructor(procRoot: string, scanner: ProcScanner) {
    this.#procRoot = procRoot;
    this.#file = new ProcFile(`${procRoot}/loadavg`);
    this.files = [this.#file];
    this.#scanner = scanner;
  }

  sample(): LoadValues {
    const isPresent = this.#scanner.read(this.#file);
    const next = (): number | null => (isPresent ? presentOrNull(this.#scanner.number()) : null);
    return {
      load1: next(),
      load5: next(),
      load15: next(),
      processCount: presentOrNull(this.#countProcesses()),
    };
  }

  close(): void {
    this.#file.close();
  }

  #countProcesses(): number {
    try {
      if (this.#samplesUntilRecount-- <= 0) this.#recount();
      const processes = statSync(this.#procRoot).nlink - this.#otherLinks;
      return processes > 0 ? processes : Number.NaN;
    } catch {
      return Number.NaN;
    }
  }

  #recount(): void {
    this.#samplesUntilRecount = RECOUNT_AFTER_SAMPLES;
    const entries = readdirSync(this.#procRoot, { withFileTypes: true });
    const others = entries.filter((entry) => entry.isDirectory() && !/^\d+$/.test(entry.name));
    this.#otherLinks = OWN_LINKS + others.length;
  }
}
