import { readFileSync } from "node:fs";
import { CliError } from "../cli-error.ts";
import type { Examined } from "./examined.ts";
import { type Finding, failure, unseen, warning, well } from "./finding.ts";

const WHAT = "limits";
/** Files that the daemon opens beside its connections: segments, /proc, sockets; measured 40, doubled and more. */
const OWN_FILES = 128;
/** Connections that wait to be taken; see listenOnSocket. */
const BACKLOG = 4_096;

/** What the system allows, beside what the daemon may want. */
export function checkLimits({ status, config, isSystemService }: Examined): Finding[] {
  const pid = status instanceof CliError ? "self" : String(status.pid);
  const whose = status instanceof CliError ? "here" : "to the daemon";
  const files = openFilesLimit(pid);
  const wanted = config.limits.connections + OWN_FILES;
  const backlog = numberIn("/proc/sys/net/core/somaxconn");
  const findings: Finding[] = [];
  if (files !== null && files < wanted)
    findings.push(
      failure(
        WHAT,
        `${files} open files are allowed ${whose}, but limits.connections = ${config.limits.connections} wants ${wanted}`,
        isSystemService
          ? `LimitNOFILE=${wanted} in: systemctl edit apm-daemon`
          : `ulimit -n ${wanted} before the daemon's start, or lower limits.connections`,
      ),
    );
  if (backlog !== null && backlog < BACKLOG)
    findings.push(
      warning(
        WHAT,
        `of many apps that connect at once only ${backlog} may wait`,
        `sysctl -w net.core.somaxconn=${BACKLOG}`,
      ),
    );
  if (findings.length > 0) return findings;
  if (files === null) return [unseen(WHAT, "this system does not say how many files may be open")];
  return [well(WHAT, `${shown(files)} open files for ${config.limits.connections} connections`)];
}

function shown(files: number): string {
  return Number.isFinite(files) ? String(files) : "unlimited";
}

function openFilesLimit(pid: string): number | null {
  try {
    const soft = /^Max open files\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.[1];
    return soft === undefined ? null : soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return null;
  }
}

function numberIn(file: string): number | null {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}
