import { statfsSync } from "node:fs";

/** What can be given up when the disk has little room left; each answers the bytes it has freed, 0 when nothing is left. */
export interface GivesRoom {
  giveOldest(): number;
}

export interface FreeDiskOptions {
  dir: string;
  /** Bytes of the file system that are left to others; at most a twentieth of it is asked for. */
  minFreeBytes: number;
  /** In the order in which they give. */
  givers: readonly GivesRoom[];
  /** Of the file system at a path; throws its error. */
  measure?: (path: string) => { freeBytes: number; totalBytes: number };
}

/** A small file system is not given up altogether. */
const MAX_SHARE = 1 / 20;

/** Leaves others a minimum of free disk: below it, what the daemon can spare goes, oldest first, until it is reached. */
export class FreeDisk {
  readonly #options: FreeDiskOptions;
  /** Bytes free when they are too few; null when they suffice. */
  lowBytes: number | null = null;
  minBytes = 0;

  constructor(options: FreeDiskOptions) {
    this.#options = options;
  }

  /** Looks, and makes room where needed. */
  keep(): void {
    const { dir, minFreeBytes, givers, measure = measureDisk } = this.#options;
    try {
      const { freeBytes, totalBytes } = measure(dir);
      this.minBytes = Math.min(minFreeBytes, totalBytes * MAX_SHARE);
      let missing = this.minBytes - freeBytes;
      for (const giver of givers) {
        while (missing > 0) {
          const freed = giver.giveOldest();
          if (freed === 0) break;
          missing -= freed;
        }
      }
      this.lowBytes = missing > 0 ? this.minBytes - missing : null;
    } catch {
      // Not every file system tells: then there is nothing to go by.
      this.lowBytes = null;
    }
  }
}

function measureDisk(path: string): { freeBytes: number; totalBytes: number } {
  const { bavail, blocks, bsize } = statfsSync(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
