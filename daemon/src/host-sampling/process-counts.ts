import { readdirSync, statSync } from "node:fs";
import { ratePerSecond } from "./counter-rate.ts";
import { LabelledNumbers } from "./labelled-numbers.ts";
import { ProcScanner } from "./proc-scanner.ts";

/** Kernels before 6.2 do not say how many files are open, and listing them costs by the thousand. */
const LIST_FDS_EVERY_SEC = 10;

interface Counts {
  threads: number | null;
  openFds: number | null;
  contextSwitchesPerSecond: number | null;
}

/** Threads, open files and context switches of single processes. */
export class ProcessCounts {
  readonly #procRoot: string;
  readonly #scanner: ProcScanner = new ProcScanner();
  readonly #switches: LabelledNumbers = new LabelledNumbers([
    "voluntary_ctxt_switches:\t",
    "nonvoluntary_ctxt_switches:\t",
  ]);
  readonly #before: Map<number, { switches: number; monoMs: number }> = new Map();

  constructor(procRoot: string) {
    this.#procRoot = procRoot;
  }

  sample(pid: number, tsSec: number, monoMs: number): Counts {
    const folder = `${this.#procRoot}/${pid}`;
    return {
      threads: countThreads(`${folder}/task`),
      openFds: countOpenFds(`${folder}/fd`, tsSec % LIST_FDS_EVERY_SEC === 0),
      contextSwitchesPerSecond: this.#sampleSwitches(pid, monoMs),
    };
  }

  /** The pid is another process's from now on. */
  forget(pid: number): void {
    this.#before.delete(pid);
  }

  #sampleSwitches(pid: number, monoMs: number): number | null {
    const isRead = this.#scanner.readOnce(`${this.#procRoot}/${pid}/status`);
    const [voluntary = Number.NaN, forced = Number.NaN] = isRead ? this.#switches.parse(this.#scanner) : [];
    const switches = voluntary + forced;
    const before = this.#before.get(pid);
    this.#before.set(pid, { switches, monoMs });
    return before === undefined
      ? null
      : ratePerSecond(switches, before.switches, (monoMs - before.monoMs) / 1_000);
  }
}

/** A folder's link count is its subfolders and two; here one per thread. */
function countThreads(taskFolder: string): number | null {
  try {
    return statSync(taskFolder).nlink - 2;
  } catch {
    return null;
  }
}

/** The folder's size says it since Linux 6.2; else it is listed when `mayList`. Null where it is not ours to read. */
export function countOpenFds(fdFolder: string, mayList: boolean): number | null {
  try {
    const count = statSync(fdFolder).size;
    if (count > 0) return count;
    return mayList ? readdirSync(fdFolder).length : null;
  } catch {
    return null;
  }
}
