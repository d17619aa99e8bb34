import { readFileSync } from "node:fs";

/** What the kernel says of a process, also for the short time between its end and its parent's notice of it. */
export interface ProcessState {
  /** Clock ticks after the host's boot: together with the pid it names one process. */
  startTicks: number;
  /** Its code no longer runs: it is ending, or only its parent has not asked for its status yet. */
  isEnding: boolean;
  /** Signal that ends it; null while it runs, where it exits by itself, and where the kernel does not tell us. */
  signal: number | null;
  /** Exit status; null as above, and when it is 0, which is also what those read who may not know. */
  exitStatus: number | null;
}

/** The kernel reports times in USER_HZ, 100 on every architecture that Node runs on. */
const MS_PER_TICK = 10;
const EXITING = 0x4;
/** A pid that an app in a container reports is another process here; its start tells. */
const SAME_START_MS = 30_000;

/** Null when there is no such process. Columns are those of proc(5), counted after the name, which may hold anything. */
export function readProcessState(procRoot: string, pid: number): ProcessState | null {
  let text: string;
  try {
    text = readFileSync(`${procRoot}/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  const columns = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state = ""] = columns;
  const startTicks = Number(columns[19]);
  if (!Number.isFinite(startTicks)) return null;
  const isEnding = "ZXx".includes(state) || (Number(columns[6]) & EXITING) !== 0;
  const status = isEnding ? Number(columns[49]) : 0;
  const signal = status & 0x7f;
  return {
    startTicks,
    isEnding,
    signal: signal > 0 ? signal : null,
    exitStatus: signal === 0 && status >> 8 > 0 ? (status >> 8) & 0xff : null,
  };
}

/** The process of a pid if it began when an app says it did; null when that pid is another's here. */
export function findOwnProcess(procRoot: string, pid: number, startUnixMs: number): ProcessState | null {
  const state = readProcessState(procRoot, pid);
  if (state === null) return null;
  const beganUnixMs = readBootUnixMs(procRoot) + state.startTicks * MS_PER_TICK;
  return Math.abs(beganUnixMs - startUnixMs) <= SAME_START_MS ? state : null;
}

/** Changes with each boot of the host, after which every process is another; "" where the kernel does not say. */
export function readBootId(procRoot: string): string {
  try {
    return readFileSync(`${procRoot}/sys/kernel/random/boot_id`, "utf8").trim();
  } catch {
    return "";
  }
}

function readBootUnixMs(procRoot: string): number {
  try {
    return Number(/^btime (\d+)/m.exec(readFileSync(`${procRoot}/stat`, "utf8"))?.[1]) * 1_000;
  } catch {
    return Number.NaN;
  }
}
