import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cleanup } from "./cleanup.ts";
import { eventually } from "./eventually.ts";

const ROOT = "/sys/fs/cgroup";
/** cgroup v1 has a tree for memory alone. */
const V1_ROOT = join(ROOT, "memory");

/** What node:test wants as `skip`: false where a memory cgroup can be made, else the reason. */
export function skipWithoutMemoryCgroup(): string | false {
  const folder = folderOf("probe");
  try {
    mkdirSync(folder);
  } catch {
    return "no right to make a cgroup here";
  }
  const hasLimit = existsSync(limitFile(folder));
  rmdirSync(folder);
  return hasLimit ? false : "the memory controller is not here";
}

/**
 * A cgroup with a memory limit; answers the file that takes a process in by its pid. Removed at clean-up, when it is empty.
 * Several at once need names.
 */
export function createMemoryCgroup(cleanup: Cleanup, limitBytes: number, name = "limited"): string {
  const folder = folderOf(name);
  mkdirSync(folder);
  cleanup.add(() => eventually("the cgroup is empty", 10_000, () => rmdirSync(folder)));
  writeFileSync(limitFile(folder), String(limitBytes));
  return join(folder, "cgroup.procs");
}

function folderOf(purpose: string): string {
  return join(existsSync(V1_ROOT) ? V1_ROOT : ROOT, `apm-test-${purpose}-${process.pid}`);
}

function limitFile(folder: string): string {
  return join(folder, existsSync(V1_ROOT) ? "memory.limit_in_bytes" : "memory.max");
}
