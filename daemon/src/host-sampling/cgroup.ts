/**
 * What a process's control groups allow it, and what they have used: truth beside that of the host and of the process.
 *
 *                cgroup v2                       cgroup v1
 *   throttled    cpu.stat, throttled_usec        cpu.stat, throttled_time (ns)
 *   CPU limit    cpu.max, "QUOTA|max PERIOD"     cpu.cfs_quota_us (-1: none), cpu.cfs_period_us
 *   CPU used     cpu.stat, usage_usec            cpuacct.usage (ns), in a hierarchy of its own
 *   memory       memory.current, memory.max      memory.usage_in_bytes, memory.limit_in_bytes
 *
 * A limit of a group above binds as well, and what it throttles is counted there: so limits are the lowest of all levels up to
 * the mount, the throttled share is that of the level that throttled most, and what was used is the process's own group's.
 * Each level is read once a second, however many processes are in it. Throttled time is the sum over CPUs: 1 at most here.
 */
import { type CgroupController, type CgroupFolder, findCgroupFolder } from "./cgroup-folder.ts";
import {
  type CgroupLevel,
  CpuAccountLevel,
  CpuLevel,
  type CpuReading,
  MemoryLevel,
  type MemoryReading,
} from "./cgroup-level.ts";
import { presentOrNull } from "./counter-rate.ts";
import type { ProcScanner } from "./proc-scanner.ts";

export interface CgroupValues {
  cgroupThrottledRatio: number | null;
  cgroupCpuLimitCores: number | null;
  cgroupCpuUsageRatio: number | null;
  cgroupMemoryUsedBytes: number | null;
  cgroupMemoryLimitBytes: number | null;
}

const CPU: CgroupController = { name: "cpu", v1File: "cpu.cfs_quota_us", v2File: "cpu.stat" };
const CPU_ACCOUNT: CgroupController = { name: "cpuacct", v1File: "cpuacct.usage", v2File: "cpu.stat" };
const MEMORY: CgroupController = {
  name: "memory",
  v1File: "memory.usage_in_bytes",
  v2File: "memory.current",
};
/** A process may be moved to another group after it began. */
const LOOK_UP_EVERY_MS = 10_000;
/** Levels that nobody asked for are closed after that. */
const FORGET_AFTER_MS = 15_000;
/** Deeper nesting than this is nobody's. */
const MAX_DEPTH = 32;

/** Where a process is; each list begins with its own group. */
interface Place {
  monoMs: number;
  cpu: readonly CpuLevel[];
  account: CpuAccountLevel | null;
  memory: readonly MemoryLevel[];
}

/** Reads the control groups of processes, versions 1 and 2. */
export class Cgroups {
  readonly #procRoot: string;
  readonly #cgroupRoot: string;
  readonly #scanner: ProcScanner;
  readonly #places: Map<number, Place> = new Map();
  readonly #levels: Map<string, CgroupLevel<unknown>> = new Map();

  constructor(procRoot: string, cgroupRoot: string, scanner: ProcScanner) {
    this.#procRoot = procRoot;
    this.#cgroupRoot = cgroupRoot;
    this.#scanner = scanner;
  }

  /** Of the second that ended at `monoMs`; what its kernel does not count is null. */
  sample(pid: number, monoMs: number): CgroupValues {
    const { cpu, account, memory } = this.#placeOf(pid, monoMs);
    const cpuReadings = cpu.map((level) => level.at(monoMs));
    const memoryReadings = memory.map((level) => level.at(monoMs));
    const usageRatio = account === null ? cpuReadings[0]?.usageRatio : account.at(monoMs);
    return {
      cgroupThrottledRatio: highest(cpuReadings.map((reading: CpuReading) => reading.throttledRatio)),
      cgroupCpuLimitCores: lowest(cpuReadings.map((reading: CpuReading) => reading.limitCores)),
      cgroupCpuUsageRatio: presentOrNull(usageRatio ?? Number.NaN),
      cgroupMemoryUsedBytes: presentOrNull(memoryReadings[0]?.usedBytes ?? Number.NaN),
      cgroupMemoryLimitBytes: lowest(memoryReadings.map((reading: MemoryReading) => reading.limitBytes)),
    };
  }

  /** Closes what was not asked for lately; call it once a second. */
  forget(monoMs: number): void {
    for (const [pid, place] of this.#places)
      if (monoMs - place.monoMs > FORGET_AFTER_MS) this.#places.delete(pid);
    for (const [key, level] of this.#levels) {
      if (monoMs - level.askedMonoMs <= FORGET_AFTER_MS) continue;
      level.close();
      this.#levels.delete(key);
    }
  }

  close(): void {
    for (const level of this.#levels.values()) level.close();
    this.#levels.clear();
    this.#places.clear();
  }

  #placeOf(pid: number, monoMs: number): Place {
    const known = this.#places.get(pid);
    if (known !== undefined && monoMs - known.monoMs < LOOK_UP_EVERY_MS) return known;
    const find = (controller: CgroupController): CgroupFolder | null =>
      findCgroupFolder(this.#procRoot, this.#cgroupRoot, pid, controller);
    const scanner = this.#scanner;
    const cpu = find(CPU);
    const account = cpu?.version === 2 ? null : find(CPU_ACCOUNT);
    const memory = find(MEMORY);
    const place = {
      monoMs,
      cpu: this.#chain(cpu, "cpu", (folder, version) => new CpuLevel(folder, version, scanner)),
      account:
        account?.version !== 1
          ? null
          : this.#level(`account ${account.folder}`, () => new CpuAccountLevel(account.folder, scanner)),
      memory: this.#chain(memory, "memory", (folder, version) => new MemoryLevel(folder, version, scanner)),
    };
    this.#places.set(pid, place);
    return place;
  }

  /** The group and all above it, up to the mount. */
  #chain<Level extends CgroupLevel<unknown>>(
    found: CgroupFolder | null,
    kind: string,
    make: (folder: string, version: 1 | 2) => Level,
  ): Level[] {
    if (found === null) return [];
    const { version } = found;
    const mount = version === 1 ? `${this.#cgroupRoot}/${kind}` : this.#cgroupRoot;
    const levels: Level[] = [];
    for (
      let folder = found.folder;
      folder.length >= mount.length && levels.length < MAX_DEPTH;
      folder = folder.slice(0, folder.lastIndexOf("/"))
    ) {
      const at = folder;
      levels.push(this.#level(`${kind} ${at}`, () => make(at, version)));
    }
    return levels;
  }

  /** `key` names its kind, so it is the level that `make` would make. */
  #level<Level extends CgroupLevel<unknown>>(key: string, make: () => Level): Level {
    const known = this.#levels.get(key) as Level | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#levels.set(key, made);
    return made;
  }
}

function highest(values: readonly number[]): number | null {
  const present = values.filter((value) => !Number.isNaN(value));
  return present.length === 0 ? null : Math.max(...present);
}

function lowest(values: readonly number[]): number | null {
  const present = values.filter((value) => !Number.isNaN(value));
  return present.length === 0 ? null : Math.min(...present);
}
