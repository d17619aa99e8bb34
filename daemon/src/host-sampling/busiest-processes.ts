// Which processes were busiest in each second of the last hour: the noisy neighbours of a slow request.
//
// Each second has SLOTS places in flat arrays: the first by CPU and the first by I/O, a process that is both in one place. A place
// names one of at most MAX_NAMED identities, which are counted, and forgotten with their last place. A host that starts new
// processes all the time (a build) runs out of identities before the hour is over: then its oldest seconds go.

import type { ProcessIo } from "./process-io.ts";
import type { KnownProcess, ProcessTable } from "./process-table.ts";

const BY_CPU = 5;
const BY_IO = 3;
const SLOTS = BY_CPU + BY_IO;
/** About 0.3 KB each: path-like commands and their ancestors. */
const MAX_NAMED = 4_096;

/** A process that was among the busiest of some seconds. Averages count the other seconds as 0. */
export interface BusyProcess {
  pid: number;
  startTicks: number;
  command: string;
  /** 1 = one core. */
  cpuRatio: number;
  /** Read from and written to disks, as far as the kernel lets us see it. */
  ioBytesPerSecond: number;
  /** Whether it is that process or descends from it, as it was then. */
  isOfTree(rootPid: number): boolean;
}

interface Identity {
  key: string;
  pid: number;
  startTicks: number;
  command: string;
  ancestors: readonly number[];
  places: number;
}

export interface BusiestProcessesOptions {
  /** Seconds kept. */
  seconds: number;
  /** The name to show of a process. */
  commandOf: (process: KnownProcess) => string;
  /** Default MAX_NAMED. */
  maxNamed?: number;
}

export class BusiestProcesses {
  readonly #options: BusiestProcessesOptions;
  readonly #maxNamed: number;
  readonly #tsSec: Float64Array;
  /** Identities by number, -1 for an empty place. */
  readonly #who: Int32Array;
  readonly #cpuRatios: Float32Array;
  readonly #ioBytes: Float32Array;
  readonly #identities: Map<number, Identity> = new Map();
  readonly #numbers: Map<string, number> = new Map();
  #nextNumber = 0;
  /** Seconds noted since start, and the oldest that is still here. */
  #noted = 0;
  #oldest = 0;

  constructor(options: BusiestProcessesOptions) {
    this.#options = options;
    this.#maxNamed = options.maxNamed ?? MAX_NAMED;
    this.#tsSec = new Float64Array(options.seconds);
    this.#who = new Int32Array(options.seconds * SLOTS).fill(-1);
    this.#cpuRatios = new Float32Array(options.seconds * SLOTS);
    this.#ioBytes = new Float32Array(options.seconds * SLOTS);
  }

  note(tsSec: number, table: ProcessTable, io: ProcessIo): void {
    while (
      this.#oldest < this.#noted &&
      (this.#noted - this.#oldest >= this.#options.seconds || this.#identities.size > this.#maxNamed - SLOTS)
    )
      this.#dropOldest();
    const second = this.#noted % this.#options.seconds;
    this.#tsSec[second] = tsSec;
    let slot = second * SLOTS;
    for (const process of busiestOf(table, io)) {
      this.#who[slot] = this.#numberOf(process, table);
      this.#cpuRatios[slot] = process.cpuRatio;
      this.#ioBytes[slot] = bytesOf(io, process);
      slot++;
    }
    this.#who.fill(-1, slot, (second + 1) * SLOTS);
    this.#noted++;
  }

  /** Those of the seconds from one to another, both included, by CPU descending; averages are over the seconds that were sampled. */
  between(fromTsSec: number, toTsSec: number): BusyProcess[] {
    const sums = new Map<number, { cpuRatio: number; ioBytes: number }>();
    let seconds = 0;
    for (let noted = this.#oldest; noted < this.#noted; noted++) {
      const second = noted % this.#options.seconds;
      const tsSec = this.#tsSec[second] ?? 0;
      if (tsSec < fromTsSec || tsSec > toTsSec) continue;
      seconds++;
      for (let slot = second * SLOTS; slot < (second + 1) * SLOTS; slot++) {
        const who = this.#who[slot] ?? -1;
        if (who < 0) break;
        const sum = sums.get(who) ?? { cpuRatio: 0, ioBytes: 0 };
        sum.cpuRatio += this.#cpuRatios[slot] ?? 0;
        sum.ioBytes += this.#ioBytes[slot] ?? 0;
        sums.set(who, sum);
      }
    }
    return [...sums]
      .flatMap(([who, { cpuRatio, ioBytes }]) => {
        const identity = this.#identities.get(who);
        if (identity === undefined) return [];
        const { pid, startTicks, command, ancestors } = identity;
        return {
          pid,
          startTicks,
          command,
          cpuRatio: cpuRatio / seconds,
          ioBytesPerSecond: ioBytes / seconds,
          isOfTree: (rootPid: number) => pid === rootPid || ancestors.includes(rootPid),
        };
      })
      .sort((a, b) => b.cpuRatio - a.cpuRatio || b.ioBytesPerSecond - a.ioBytesPerSecond);
  }

  #dropOldest(): void {
    const second = this.#oldest % this.#options.seconds;
    this.#oldest++;
    for (let slot = second * SLOTS; slot < (second + 1) * SLOTS; slot++) {
      const who = this.#who[slot] ?? -1;
      const identity = this.#identities.get(who);
      if (identity === undefined || --identity.places > 0) continue;
      this.#identities.delete(who);
      this.#numbers.delete(identity.key);
    }
  }

  /** A process that gets another name or another parent is another one from then on. */
  #numberOf(process: KnownProcess, table: ProcessTable): number {
    const { pid, startTicks } = process;
    const command = this.#options.commandOf(process);
    const ancestors = table.ancestors(pid);
    const key = `${pid} ${startTicks} ${ancestors.join(",")} ${command}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#nextNumber;
      this.#nextNumber = (number + 1) % 2_147_483_648;
      this.#numbers.set(key, number);
      this.#identities.set(number, { key, pid, startTicks, command, ancestors, places: 0 });
    }
    const identity = this.#identities.get(number);
    if (identity !== undefined) identity.places++;
    return number;
  }
}

/** The first by CPU and the first by I/O that used any, each once. */
function busiestOf(table: ProcessTable, io: ProcessIo): Set<KnownProcess> {
  const byCpu: KnownProcess[] = [];
  const byIo: KnownProcess[] = [];
  for (const process of table.all()) {
    if (process.cpuRatio > 0) keepFirst(byCpu, process, BY_CPU, ({ cpuRatio }) => cpuRatio);
    if (bytesOf(io, process) > 0) keepFirst(byIo, process, BY_IO, (other) => bytesOf(io, other));
  }
  return new Set([...byCpu, ...byIo]);
}

/** Inserts into a list that stays sorted, and short. */
function keepFirst(
  first: KnownProcess[],
  process: KnownProcess,
  count: number,
  amount: (process: KnownProcess) => number,
): void {
  let at = first.length;
  while (at > 0 && amount(first[at - 1] as KnownProcess) < amount(process)) at--;
  if (at >= count) return;
  first.splice(at, 0, process);
  if (first.length > count) first.pop();
}

function bytesOf(io: ProcessIo, process: KnownProcess): number {
  const rate = io.of(process);
  return rate === null ? 0 : rate.readBytesPerSecond + rate.writeBytesPerSecond;
}
