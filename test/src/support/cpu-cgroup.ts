import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cleanup } from "./cleanup.ts";
import { eventually } from "./eventually.ts";

const ROOT = "/sys/fs/cgroup";
/** cgroup v1 has a tree for CPU time alone. */
const V1_ROOT = join(ROOT, "cpu");
const PERIOD_US = 100_000;

/** What node:test wants as `skip`: false where a cgroup with a CPU quota can be made, else the reason. */
export function skipWithoutCpuCgroup(): string | false {
  const folder = folderOf("probe");
  try {
    mkdirSync(folder);
  } catch {
    return "no right to make a cgroup here";
  }
  const hasQuota = existsSync(join(folder, quotaFile()));
  rmdirSync(folder);
  return hasQuota ? false : "the cpu controller is not here";
}

/** A cgroup whose processes may use only so much of the CPUs, once they are limited. Removed at clean-up, when it is empty. */
export class CpuCgroup {
  readonly #folder: string;

  constructor(cleanup: Cleanup) {
    this.#folder = folderOf("limited");
    mkdirSync(this.#folder);
    cleanup.add(() => eventually("the cgroup is empty", 10_000, () => rmdirSync(this.#folder)));
  }

  /** The file that takes a process in by its pid. */
  get procs(): string {
    return join(this.#folder, "cgroup.procs");
  }

  /** 1 = one whole core. */
  limit(cores: number): void {
    const quotaUs = String(Math.round(cores * PERIOD_US));
    writeFileSync(join(this.#folder, quotaFile()), isV1() ? quotaUs : `${quotaUs} ${PERIOD_US}`);
  }
}

function isV1(): boolean {
  return existsSync(V1_ROOT);
}

function folderOf(purpose: string): string {
  return join(isV1() ? V1_ROOT : ROOT, `apm-test-cpu-${purpose}-${process.pid}`);
}

function quotaFile(): string {
  return isV1() ? "cpu.cfs_quota_us" : "cpu.max";
}
