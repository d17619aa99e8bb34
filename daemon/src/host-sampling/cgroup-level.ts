import { counterDelta } from "./counter-rate.ts";
import { LabelledNumbers } from "./labelled-numbers.ts";
import { ProcFile, type ProcScanner } from "./proc-scanner.ts";

/** v1 has no word for "no limit": it is a number of pages that no machine has. */
const NO_LIMIT_BYTES = 2 ** 60;
const US_PER_SECOND = 1e6;
const NS_PER_SECOND = 1e9;

/** One folder of a hierarchy; numbers are NaN where it does not have them. */
export interface CgroupLevel<Reading> {
  /** Reads its files unless that was done at this moment already. */
  at(monoMs: number): Reading;
  /** When it was asked last. */
  readonly askedMonoMs: number;
  close(): void;
}

export interface CpuReading {
  throttledRatio: number;
  limitCores: number;
  /** 1 = one core. */
  usageRatio: number;
}

export interface MemoryReading {
  usedBytes: number;
  limitBytes: number;
}

/** CPU of one group in version 2, or its limit and throttling in version 1. */
export class CpuLevel implements CgroupLevel<CpuReading> {
  askedMonoMs: number = Number.NaN;
  readonly #scanner: ProcScanner;
  readonly #stat: ProcFile;
  readonly #quota: ProcFile;
  /** Version 1 alone; version 2 has both numbers in one file. */
  readonly #period: ProcFile | null;
  readonly #numbers: LabelledNumbers;
  readonly #throttledPerSecond: number;
  #throttled = Number.NaN;
  #usageUs = Number.NaN;
  #reading: CpuReading = { throttledRatio: Number.NaN, limitCores: Number.NaN, usageRatio: Number.NaN };

  constructor(folder: string, version: 1 | 2, scanner: ProcScanner) {
    this.#scanner = scanner;
    this.#stat = new ProcFile(`${folder}/cpu.stat`);
    this.#quota = new ProcFile(`${folder}/${version === 1 ? "cpu.cfs_quota_us" : "cpu.max"}`);
    this.#period = version === 1 ? new ProcFile(`${folder}/cpu.cfs_period_us`) : null;
    this.#numbers = new LabelledNumbers([
      version === 1 ? "throttled_time " : "throttled_usec ",
      "usage_usec ",
    ]);
    this.#throttledPerSecond = version === 1 ? NS_PER_SECOND : US_PER_SECOND;
  }

  at(monoMs: number): CpuReading {
    if (monoMs === this.askedMonoMs) return this.#reading;
    const elapsedSec = (monoMs - this.askedMonoMs) / 1_000;
    this.askedMonoMs = monoMs;
    const [throttled = Number.NaN, usageUs = Number.NaN] = this.#numbers.read(this.#scanner, this.#stat);
    this.#reading = {
      throttledRatio: Math.min(
        1,
        growthOver(throttled, this.#throttled, elapsedSec * this.#throttledPerSecond),
      ),
      limitCores: this.#readLimit(),
      usageRatio: growthOver(usageUs, this.#usageUs, elapsedSec * US_PER_SECOND),
    };
    this.#throttled = throttled;
    this.#usageUs = usageUs;
    return this.#reading;
  }

  close(): void {
    for (const file of [this.#stat, this.#quota, this.#period]) file?.close();
  }

  #readLimit(): number {
    if (!this.#scanner.read(this.#quota)) return Number.NaN;
    const quotaUs = this.#scanner.number();
    // Without a quota the period means nothing.
    if (!(quotaUs > 0)) return Number.NaN;
    if (this.#period !== null && !this.#scanner.read(this.#period)) return Number.NaN;
    return quotaUs / this.#scanner.number();
  }
}

/** CPU used by one group of version 1, in cores. */
export class CpuAccountLevel implements CgroupLevel<number> {
  askedMonoMs: number = Number.NaN;
  readonly #scanner: ProcScanner;
  readonly #file: ProcFile;
  #usageNs = Number.NaN;
  #ratio = Number.NaN;

  constructor(folder: string, scanner: ProcScanner) {
    this.#scanner = scanner;
    this.#file = new ProcFile(`${folder}/cpuacct.usage`);
  }

  at(monoMs: number): number {
    if (monoMs === this.askedMonoMs) return this.#ratio;
    const elapsedSec = (monoMs - this.askedMonoMs) / 1_000;
    this.askedMonoMs = monoMs;
    const usageNs = this.#scanner.read(this.#file) ? this.#scanner.number() : Number.NaN;
    this.#ratio = growthOver(usageNs, this.#usageNs, elapsedSec * NS_PER_SECOND);
    this.#usageNs = usageNs;
    return this.#ratio;
  }

  close(): void {
    this.#file.close();
  }
}

/** Memory of one group; page cache counts as used, as the kernel's limit has it. */
export class MemoryLevel implements CgroupLevel<MemoryReading> {
  askedMonoMs: number = Number.NaN;
  readonly #scanner: ProcScanner;
  readonly #used: ProcFile;
  readonly #limit: ProcFile;
  #reading: MemoryReading = { usedBytes: Number.NaN, limitBytes: Number.NaN };

  constructor(folder: string, version: 1 | 2, scanner: ProcScanner) {
    this.#scanner = scanner;
    this.#used = new ProcFile(`${folder}/${version === 1 ? "memory.usage_in_bytes" : "memory.current"}`);
    this.#limit = new ProcFile(`${folder}/${version === 1 ? "memory.limit_in_bytes" : "memory.max"}`);
  }

  at(monoMs: number): MemoryReading {
    if (monoMs === this.askedMonoMs) return this.#reading;
    this.askedMonoMs = monoMs;
    const usedBytes = this.#readNumber(this.#used);
    const limitBytes = this.#readNumber(this.#limit);
    this.#reading = { usedBytes, limitBytes: limitBytes < NO_LIMIT_BYTES ? limitBytes : Number.NaN };
    return this.#reading;
  }

  close(): void {
    this.#used.close();
    this.#limit.close();
  }

  /** NaN for "max". */
  #readNumber(file: ProcFile): number {
    return this.#scanner.read(file) ? this.#scanner.number() : Number.NaN;
  }
}

/** `elapsed` is in the counter's unit. */
function growthOver(now: number, before: number, elapsed: number): number {
  const delta = counterDelta(now, before);
  return delta !== null && elapsed > 0 ? delta / elapsed : Number.NaN;
}
