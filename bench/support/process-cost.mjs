import { readdirSync, readFileSync } from "node:fs";

const TICKS_PER_SECOND = 100;
const NANOSECONDS = 1e9;

/** CPU seconds used so far by a process and what it waited for. @returns {number} */
export function cpuSeconds(pid) {
  // utime, stime, cutime, cstime: proc(5), fields 14 to 17.
  const fields = statFields(pid);
  return [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) / TICKS_PER_SECOND;
}

/**
 * The same of a process and all that it started, what still runs and what it waited for. The threads' own clocks count in nanoseconds:
 * in the 1/100 s of proc(5) a process that uses 0.4 % of a core has 8 of them in 20 s. Nobody's threads end in between.
 * @returns {number}
 */
export function treeCpuSeconds(root) {
  return treePids(root).reduce((sum, pid) => {
    try {
      const [waitedFor, waitedForKernel] = statFields(pid).slice(13, 15).map(Number);
      return sum + threadSeconds(pid) + (waitedFor + waitedForKernel) / TICKS_PER_SECOND;
    } catch {
      return sum; // It ended since the list was made; its parent has waited for it.
    }
  }, 0);
}

function threadSeconds(pid) {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [running] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    return sum + Number(running) / NANOSECONDS;
  }, 0);
}

/** Resident memory in bytes; 0 of a process that has ended, as a plugin of netdata may at any time. @returns {number} */
export function rssBytes(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return 0;
    throw error;
  }
}

/** Resident memory of a process and all that it started; pages that they share count for each. @returns {number} */
export function treeRssBytes(root) {
  return treePids(root).reduce((sum, pid) => sum + rssBytes(pid), 0);
}

function treePids(root) {
  const children = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    let parent;
    try {
      parent = Number(statFields(name)[1]);
    } catch {
      continue; // It ended since the list was made.
    }
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const pids = [root];
  for (const pid of pids) pids.push(...(children.get(pid) ?? []));
  return pids;
}

/** From the state on, which is field 3. */
function statFields(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
