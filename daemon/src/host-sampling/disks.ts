import type { DiskState } from "@apm-daemon/protocol";
import { counterDelta } from "./counter-rate.ts";
import { ProcFile, type ProcScanner } from "./proc-scanner.ts";

/** /proc/diskstats counts in sectors of 512 bytes whatever the disk's own size. */
const SECTOR_BYTES = 512;
/** Layers over other disks (their traffic would count twice), memory, removable media, NVMe's hidden paths. */
const NOT_A_DISK = /^(loop|ram|zram|dm-|md\d|sr\d|fd\d|zd\d|bcache|drbd|nvme\d+c)/;
/** More disks than this in one snapshot help nobody. */
const MAX_SNAPSHOT_DISKS = 64;

interface DiskCounters {
  reads: number;
  readSectors: number;
  readMs: number;
  writes: number;
  writtenSectors: number;
  writeMs: number;
  busyMs: number;
}

interface DiskValues {
  diskReadBytesPerSecond: number | null;
  diskWriteBytesPerSecond: number | null;
  diskReadsPerSecond: number | null;
  diskWritesPerSecond: number | null;
  diskBusyRatio: number | null;
  diskAwaitMs: number | null;
}

type Readings = ReadonlyMap<string, DiskCounters>;

const NOTHING: DiskValues = {
  diskReadBytesPerSecond: null,
  diskWriteBytesPerSecond: null,
  diskReadsPerSecond: null,
  diskWritesPerSecond: null,
  diskBusyRatio: null,
  diskAwaitMs: null,
};

/** Traffic of whole disks from /proc/diskstats. A disk that came or was reset since the last reading is left out of it. */
export class Disks {
  readonly files: readonly ProcFile[];
  readonly #file: ProcFile;
  readonly #scanner: ProcScanner;
  readonly #wholeDisks: Map<string, boolean> = new Map();
  #latest: Readings = new Map();
  #atSnapshot: Readings = new Map();

  constructor(procRoot: string, scanner: ProcScanner) {
    this.#file = new ProcFile(`${procRoot}/diskstats`);
    this.files = [this.#file];
    this.#scanner = scanner;
  }

  sample(elapsedSec: number): DiskValues {
    const before = this.#latest;
    this.#latest = this.#read();
    const grown = growth(this.#latest, before);
    if (grown.size === 0 || !(elapsedSec > 0)) return NOTHING;
    return totals([...grown.values()], elapsedSec);
  }

  /** Averages of each disk since the last call, by name; `elapsedSec` is the time between. */
  snapshot(elapsedSec: number): DiskState[] {
    const grown = growth(this.#latest, this.#atSnapshot);
    this.#atSnapshot = this.#latest;
    if (!(elapsedSec > 0)) return [];
    return [...grown].slice(0, MAX_SNAPSHOT_DISKS).map(([name, disk]) => diskState(name, disk, elapsedSec));
  }

  close(): void {
    this.#file.close();
  }

  #read(): Readings {
    const readings = new Map<string, DiskCounters>();
    const scanner = this.#scanner;
    if (!scanner.read(this.#file)) return readings;
    let lastDisk = "";
    do {
      // Major and minor; as numbers, so that they show whether the file can be understood.
      scanner.number();
      scanner.number();
      const name = scanner.word();
      if (name === "" || !this.#isWholeDisk(name, lastDisk)) continue;
      lastDisk = name;
      readings.set(name, readCounters(scanner));
    } while (scanner.nextLine());
    return readings;
  }

  #isWholeDisk(name: string, lastDisk: string): boolean {
    let isWhole = this.#wholeDisks.get(name);
    if (isWhole === undefined) {
      // Names come and go on hosts that attach volumes all day.
      if (this.#wholeDisks.size > 4096) this.#wholeDisks.clear();
      isWhole = !NOT_A_DISK.test(name) && !isPartitionOf(lastDisk, name);
      this.#wholeDisks.set(name, isWhole);
    }
    return isWhole;
  }
}

/** The kernel's naming rule: sda1, but nvme0n1p1 where the disk's name ends in a digit. The disk is listed first. */
function isPartitionOf(disk: string, name: string): boolean {
  if (disk === "" || !name.startsWith(disk)) return false;
  const rest = name.slice(disk.length);
  return /\d$/.test(disk) ? /^p\d+$/.test(rest) : /^\d+$/.test(rest);
}

function readCounters(scanner: ProcScanner): DiskCounters {
  const reads = scanner.number();
  scanner.skip(1);
  const readSectors = scanner.number();
  const readMs = scanner.number();
  const writes = scanner.number();
  scanner.skip(1);
  const writtenSectors = scanner.number();
  const writeMs = scanner.number();
  scanner.skip(1);
  const busyMs = scanner.number();
  return { reads, readSectors, readMs, writes, writtenSectors, writeMs, busyMs };
}

function growth(now: Readings, before: Readings): Map<string, DiskCounters> {
  const grown = new Map<string, DiskCounters>();
  for (const [name, disk] of now) {
    const diskBefore = before.get(name);
    const delta = diskBefore === undefined ? null : diskGrowth(disk, diskBefore);
    if (delta !== null) grown.set(name, delta);
  }
  return grown;
}

function diskGrowth(now: DiskCounters, before: DiskCounters): DiskCounters | null {
  const reads = counterDelta(now.reads, before.reads);
  const readSectors = counterDelta(now.readSectors, before.readSectors);
  const readMs = counterDelta(now.readMs, before.readMs);
  const writes = counterDelta(now.writes, before.writes);
  const writtenSectors = counterDelta(now.writtenSectors, before.writtenSectors);
  const writeMs = counterDelta(now.writeMs, before.writeMs);
  const busyMs = counterDelta(now.busyMs, before.busyMs);
  if (reads === null || readSectors === null || readMs === null || busyMs === null) return null;
  if (writes === null || writtenSectors === null || writeMs === null) return null;
  return { reads, readSectors, readMs, writes, writtenSectors, writeMs, busyMs };
}

function totals(disks: readonly DiskCounters[], elapsedSec: number): DiskValues {
  const sum = (field: keyof DiskCounters): number => disks.reduce((total, disk) => total + disk[field], 0);
  return {
    diskReadBytesPerSecond: (sum("readSectors") * SECTOR_BYTES) / elapsedSec,
    diskWriteBytesPerSecond: (sum("writtenSectors") * SECTOR_BYTES) / elapsedSec,
    diskReadsPerSecond: sum("reads") / elapsedSec,
    diskWritesPerSecond: sum("writes") / elapsedSec,
    diskBusyRatio: Math.max(...disks.map((disk) => busyRatio(disk, elapsedSec))),
    diskAwaitMs: averageWaitMs(sum("reads") + sum("writes"), sum("readMs") + sum("writeMs")),
  };
}

function diskState(name: string, disk: DiskCounters, elapsedSec: number): DiskState {
  return {
    name,
    readBytesPerSecond: (disk.readSectors * SECTOR_BYTES) / elapsedSec,
    writeBytesPerSecond: (disk.writtenSectors * SECTOR_BYTES) / elapsedSec,
    busyRatio: busyRatio(disk, elapsedSec),
    awaitMs: averageWaitMs(disk.reads + disk.writes, disk.readMs + disk.writeMs) ?? 0,
  };
}

/** The kernel accounts in whole jiffies, so a busy disk can show a little more than the time that passed. */
function busyRatio(disk: DiskCounters, elapsedSec: number): number {
  return Math.min(1, disk.busyMs / (elapsedSec * 1000));
}

/** Null without requests: there was nothing to wait for, and 0 would be praise. */
function averageWaitMs(requests: number, waitedMs: number): number | null {
  return requests > 0 ? waitedMs / requests : null;
}
