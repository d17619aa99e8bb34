import { readFileSync } from "node:fs";

/** What tells a process from a later one with the same pid: clock ticks from boot to its start. Null where it is not seen. */
export function startTicksOf(pid: number, procRoot = "/proc"): number | null {
  try {
    const stat = readFileSync(`${procRoot}/${pid}/stat`, "latin1");
    // The second field is the program's name in parentheses, which may hold anything; starttime is field 22.
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    return Number.isSafeInteger(ticks) ? ticks : null;
  } catch {
    return null;
  }
}

/** Whether a process calls itself by this pid in its own container, or one around it. */
export function isInnerPid(pid: number, claimed: number, procRoot = "/proc"): boolean {
  try {
    const status = readFileSync(`${procRoot}/${pid}/status`, "latin1");
    const pids = /^NSpid:\s+(.+)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
    return pids.includes(String(claimed));
  } catch {
    return false;
  }
}
