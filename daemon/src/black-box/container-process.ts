import { readdir, readFile } from "node:fs/promises";

/** Bounds the search on a host with a fork bomb. */
const MAX_PROCESSES = 16_384;

/**
 * The pid that a process of a container has on this host: the one process that is called `pid` in the innermost of its
 * pid namespaces and that `isIt` accepts. Null when there is none, or several.
 */
export async function findContainerProcess(
  procRoot: string,
  pid: number,
  isIt: (hostPid: number) => boolean,
): Promise<number | null> {
  let found: number | null = null;
  const names = await readdir(procRoot).catch(() => []);
  for (const name of names.filter((name) => /^\d+$/.test(name)).slice(0, MAX_PROCESSES)) {
    const status = await readFile(`${procRoot}/${name}/status`, "utf8").catch(() => "");
    const pids = /^NSpid:\s*(.+)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
    if (pids.length < 2 || Number(pids.at(-1)) !== pid || !isIt(Number(name))) continue;
    if (found !== null) return null;
    found = Number(name);
  }
  return found;
}
