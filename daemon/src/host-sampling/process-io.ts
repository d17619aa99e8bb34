import { counterDelta } from "./counter-rate.ts";
import { LabelledNumbers } from "./labelled-numbers.ts";
import type { ProcScanner } from "./proc-scanner.ts";
import { ProcessFiles } from "./process-files.ts";
import type { KnownProcess, ProcessTable } from "./process-table.ts";

/** 6 µs each while its file stays open, else 15. */
const MAX_READS_PER_TICK = 128;

export interface ProcessIoRate {
  readBytesPerSecond: number;
  writeBytesPerSecond: number;
}

interface Known {
  startTicks: number;
  readBytes: number;
  writtenBytes: number;
  /** Null after the first reading. */
  rate: ProcessIoRate | null;
  tick: number;
}

const NONE: ProcessIoRate = { readBytesPerSecond: 0, writeBytesPerSecond: 0 };

/**
 * Bytes that processes have read from and written to disks, by /proc/PID/io, which the kernel shows to root and to the process's own
 * user alone. It is read only of those that used CPU in the second or wait for a disk: the others have done none.
 */
export class ProcessIo {
  /** Processes that were not read because too many others were, since start. */
  passedOver = 0;
  readonly #files: ProcessFiles;
  readonly #scanner: ProcScanner;
  readonly #numbers: LabelledNumbers = new LabelledNumbers(["read_bytes:", "write_bytes:"]);
  readonly #known: Map<number, Known> = new Map();
  #tick = 0;
  #monoMs = Number.NaN;

  constructor(procRoot: string, scanner: ProcScanner, maxOpenFiles = 0) {
    this.#files = new ProcessFiles(procRoot, "io", maxOpenFiles);
    this.#scanner = scanner;
  }

  tick(table: ProcessTable, monoMs: number): void {
    this.#tick++;
    const elapsedSec = (monoMs - this.#monoMs) / 1_000;
    this.#monoMs = monoMs;
    let reads = 0;
    for (const process of table.all()) {
      if (process.cpuRatio === 0 && process.state !== "D") continue;
      if (this.#isRefused(process)) continue;
      if (++reads <= MAX_READS_PER_TICK) this.#read(process, elapsedSec);
      else {
        // What it does meanwhile belongs to no one second.
        this.#forget(process.pid);
        this.passedOver++;
      }
    }
    for (const [pid, { startTicks }] of this.#known)
      if (table.get(pid)?.startTicks !== startTicks) this.#forget(pid);
  }

  close(): void {
    this.#files.closeAll();
  }

  /** Processes that are there and were not ours to read. */
  get hidden(): number {
    let count = 0;
    for (const { readBytes } of this.#known.values()) if (Number.isNaN(readBytes)) count++;
    return count;
  }

  /** Of the last second; null where it is not known: not ours to read, or too new. */
  of({ pid, startTicks }: KnownProcess): ProcessIoRate | null {
    const known = this.#known.get(pid);
    if (known?.startTicks !== startTicks || known.rate === null) return null;
    return known.tick === this.#tick ? known.rate : NONE;
  }

  #forget(pid: number): void {
    this.#known.delete(pid);
    this.#files.close(pid);
  }

  #isRefused({ pid, startTicks }: KnownProcess): boolean {
    const known = this.#known.get(pid);
    return known?.startTicks === startTicks && Number.isNaN(known.readBytes);
  }

  #read({ pid, startTicks }: KnownProcess, elapsedSec: number): void {
    const isRead = this.#scanner.readBy((into) => this.#files.read(pid, into));
    const [readBytes = Number.NaN, writtenBytes = Number.NaN] = isRead
      ? this.#numbers.parse(this.#scanner)
      : [];
    const before = this.#known.get(pid);
    const isSame = before?.startTicks === startTicks;
    const read = isSame ? counterDelta(readBytes, before.readBytes) : null;
    const written = isSame ? counterDelta(writtenBytes, before.writtenBytes) : null;
    const rate =
      read === null || written === null || !(elapsedSec > 0)
        ? null
        : { readBytesPerSecond: read / elapsedSec, writeBytesPerSecond: written / elapsedSec };
    this.#known.set(pid, { startTicks, readBytes, writtenBytes, rate, tick: this.#tick });
  }
}
