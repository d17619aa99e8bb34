/** Where a process comes from, without being told: version, container, systemd unit. What cannot be found is left out. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Deployment } from "@apm-daemon/protocol";
import { findAppVersion } from "./app-name.ts";

export function findDeployment(
  script: string | undefined,
  cwd: string,
  procRoot: string = "/proc",
): Deployment {
  const appVersion = findAppVersion(script, cwd);
  const paths = cgroupPaths(read(join(procRoot, "self/cgroup")));
  const inCgroup = containerOf(paths);
  // With a cgroup namespace of its own a container sees itself at the root: its mounts tell what it is.
  const containerId = inCgroup || containerOfMounts(read(join(procRoot, "self/mountinfo")));
  const systemdUnit = inCgroup === "" ? unitOf(paths) : "";
  return {
    ...(appVersion !== "" && { appVersion }),
    ...(containerId !== "" && { containerId }),
    ...(systemdUnit !== "" && { systemdUnit }),
  };
}

/** Of version 1 (one line a controller) and 2 (one line). */
function cgroupPaths(cgroup: string): string[] {
  return cgroup.split("\n").flatMap((line) => /^\d+:[^:]*:(\/.*)$/.exec(line)?.[1] ?? []);
}

/** Docker, podman and those of Kubernetes name a container's group by its id of 64 hex digits, bare or within a scope's name. */
function containerOf(paths: readonly string[]): string {
  for (const path of paths) {
    for (const part of path.split("/").toReversed()) {
      const id = /(?:^|[^0-9a-f])([0-9a-f]{64})(?:\.scope)?$/.exec(part)?.[1];
      if (id !== undefined) return id;
    }
  }
  return "";
}

/** The file that is mounted as /etc/hostname lies in the container's folder on the host. A pod's sandbox is no container. */
function containerOfMounts(mountinfo: string): string {
  for (const line of mountinfo.split("\n")) {
    const [, , , root = "", mountPoint] = line.split(" ");
    const id = /containers\/([0-9a-f]{64})\//.exec(root)?.[1];
    if (mountPoint === "/etc/hostname" && id !== undefined) return id;
  }
  return "";
}

/** The innermost service that is not a user's whole session. */
function unitOf(paths: readonly string[]): string {
  for (const path of paths) {
    const services = path.split("/").filter((part) => part.endsWith(".service"));
    const unit = services.at(-1);
    if (unit !== undefined && !/^user@\d+\.service$/.test(unit)) return unit;
  }
  return "";
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
