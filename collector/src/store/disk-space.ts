import * as fs from "node:fs/promises";
import { StoreError } from "./store-error.ts";

/** Asking the kernel for every batch would be waste; a disk does not fill within this time. */
const FRESH_MS = 5_000;

export interface DiskSpaceOptions {
  folder: string;
  minFreeBytes: number;
  /** Share of the whole disk, 0..1. */
  minFreeRatio: number;
  clock: () => number;
}

/** Keeps a minimum of the disk free: a store that meets a full disk is a store in trouble. */
export class DiskSpace {
  readonly #options: DiskSpaceOptions;
  #checkedMs = Number.NEGATIVE_INFINITY;
  #problem: string | null = null;

  constructor(options: DiskSpaceOptions) {
    this.#options = options;
  }

  /** Throws DISK_LOW when too little is free. */
  async require(): Promise<void> {
    const { folder, minFreeBytes, minFreeRatio, clock } = this.#options;
    if (Math.abs(clock() - this.#checkedMs) > FRESH_MS) {
      this.#checkedMs = clock();
      const disk = await fs.statfs(folder);
      const freeBytes = disk.bavail * disk.bsize;
      const neededBytes = Math.max(minFreeBytes, minFreeRatio * disk.blocks * disk.bsize);
      this.#problem =
        freeBytes >= neededBytes
          ? null
          : `the disk of ${folder} has ${mb(freeBytes)} MB free and needs ${mb(neededBytes)} MB; free disk space, or lower store.min_free_disk_mb or store.min_free_disk_ratio`;
    }
    if (this.#problem) throw new StoreError("DISK_LOW", this.#problem, 30_000);
  }
}

function mb(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
