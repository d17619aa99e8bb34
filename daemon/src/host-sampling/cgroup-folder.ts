import { existsSync, readFileSync } from "node:fs";

/** A process's control group in one hierarchy. */
export interface CgroupFolder {
  version: 1 | 2;
  /** As /proc/PID/cgroup names it. */
  path: string;
  folder: string;
}

/** A controller, and the files by which its folders are known. */
export interface CgroupController {
  name: string;
  /** In a hierarchy of its own: "N:…name…:PATH" of /proc/PID/cgroup. */
  v1File: string;
  /** In the common one: "0::PATH". */
  v2File: string;
}

/** Null when the process has gone, or no controller of that name accounts for it here. */
export function findCgroupFolder(
  procRoot: string,
  cgroupRoot: string,
  pid: number,
  { name, v1File, v2File }: CgroupController,
): CgroupFolder | null {
  for (const line of (readText(`${procRoot}/${pid}/cgroup`) ?? "").split("\n")) {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    // A path above our own namespace's root names folders that are not below the mount.
    if (path === "" || path.split("/").includes("..")) continue;
    const version = controllers === "" ? 2 : 1;
    if (version === 1 && !controllers.split(",").includes(name)) continue;
    const mount = version === 1 ? `${cgroupRoot}/${name}` : cgroupRoot;
    const file = version === 1 ? v1File : v2File;
    const folder = path === "/" ? mount : `${mount}${path}`;
    if (existsSync(`${folder}/${file}`)) return { version, path, folder };
    if (isMountedHere(mount, file, pid)) return { version, path, folder: mount };
  }
  return null;
}

/** A container may see its own group alone, at the mount, while the path is the host's. */
function isMountedHere(mount: string, file: string, pid: number): boolean {
  if (!existsSync(`${mount}/${file}`)) return false;
  return (readText(`${mount}/cgroup.procs`) ?? "").split("\n").includes(String(pid));
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
