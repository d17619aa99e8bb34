/**
 * The memory cgroup of a process: its limit, and how many of its processes the kernel has killed for lack of memory.
 *
 *                 cgroup v2                         cgroup v1
 *   path          "0::PATH" of /proc/PID/cgroup     "N:…memory…:PATH"
 *   kills         memory.events, oom_kill           memory.oom_control, oom_kill (since Linux 4.13)
 *   limit         memory.max, lowest of all above   memory.stat, hierarchical_memory_limit
 *   in use        memory.current                    memory.usage_in_bytes
 *   limit hits    memory.events, max                memory.failcnt
 *
 * Both counts of kills mean processes of this very cgroup, whoever ran out of memory: it, one above it, or the host.
 * Host: oom_kill of /proc/vmstat counts all kills. What cannot be read is null.
 */
import { readFileSync } from "node:fs";
import {
  type CgroupController,
  type CgroupFolder,
  findCgroupFolder,
} from "../host-sampling/cgroup-folder.ts";

export type MemoryCgroup = CgroupFolder;

export interface MemoryCounters {
  unixMs: number;
  oomKills: number | null;
  hostOomKills: number | null;
  processes: number | null;
  limitBytes: number | null;
  usedBytes: number | null;
  limitHits: number | null;
}

/** Deeper nesting than this is nobody's. */
const MAX_DEPTH = 32;
/** v1 has no word for "no limit": it is a number of pages that no machine has. */
const NO_LIMIT_BYTES = 2 ** 60;

const MEMORY: CgroupController = {
  name: "memory",
  v1File: "memory.oom_control",
  v2File: "memory.events",
};

/** Null when the process has gone, or no controller accounts its memory here. */
export function findMemoryCgroup(procRoot: string, cgroupRoot: string, pid: number): MemoryCgroup | null {
  return findCgroupFolder(procRoot, cgroupRoot, pid, MEMORY);
}

/** `cgroup` null: only what the host counts. */
export function readMemoryCounters(
  procRoot: string,
  cgroupRoot: string,
  cgroup: MemoryCgroup | null,
  unixMs: number,
): MemoryCounters {
  const hostOomKills = labelled(`${procRoot}/vmstat`, "oom_kill");
  if (cgroup === null) {
    const unknown = { oomKills: null, processes: null, limitBytes: null, usedBytes: null, limitHits: null };
    return { unixMs, hostOomKills, ...unknown };
  }
  const { folder, version } = cgroup;
  const processes = readText(`${folder}/cgroup.procs`);
  return {
    unixMs,
    hostOomKills,
    processes: processes === null ? null : processes.split("\n").filter((line) => line !== "").length,
    ...(version === 1 ? readV1(folder) : readV2(folder, cgroupRoot)),
  };
}

type OwnCounters = Pick<MemoryCounters, "oomKills" | "limitBytes" | "usedBytes" | "limitHits">;

function readV1(folder: string): OwnCounters {
  const limitBytes = labelled(`${folder}/memory.stat`, "hierarchical_memory_limit");
  return {
    oomKills: labelled(`${folder}/memory.oom_control`, "oom_kill"),
    limitBytes: limitBytes === null || limitBytes >= NO_LIMIT_BYTES ? null : limitBytes,
    usedBytes: single(`${folder}/memory.usage_in_bytes`),
    limitHits: single(`${folder}/memory.failcnt`),
  };
}

function readV2(folder: string, cgroupRoot: string): OwnCounters {
  return {
    oomKills: labelled(`${folder}/memory.events`, "oom_kill"),
    limitBytes: lowestLimit(folder, cgroupRoot),
    usedBytes: single(`${folder}/memory.current`),
    limitHits: labelled(`${folder}/memory.events`, "max"),
  };
}

/** The root has no limit file; "max" reads as none. */
function lowestLimit(folder: string, cgroupRoot: string): number | null {
  let lowest: number | null = null;
  let at = folder;
  for (let depth = 0; depth < MAX_DEPTH && at.length > cgroupRoot.length; depth++) {
    const limit = single(`${at}/memory.max`);
    if (limit !== null && (lowest === null || limit < lowest)) lowest = limit;
    at = at.slice(0, at.lastIndexOf("/"));
  }
  return lowest;
}

function labelled(path: string, label: string): number | null {
  const text = readText(path);
  const value = text === null ? undefined : new RegExp(`^${label} (\\d+)$`, "m").exec(text)?.[1];
  return value === undefined ? null : Number(value);
}

function single(path: string): number | null {
  const text = readText(path)?.trim() ?? "";
  return /^\d+$/.test(text) ? Number(text) : null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
