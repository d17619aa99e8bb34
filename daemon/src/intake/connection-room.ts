import { readFileSync } from "node:fs";
import { SOCKET_BACKLOG } from "./socket-path.ts";

/** Journal, outbox, uplink, status, and connections that are being refused. */
const OTHER_DESCRIPTORS = 384;
/** The sampler of the apps' processes holds a file open for each, up to this many. */
const SAMPLED_PROCESSES = 512;
const FILES_LIMIT = /^Max open files +(\d+)/m;

/** Files of the host's processes that are kept open where the limit leaves room for them: it is cheaper, not needed. */
const MAX_PROCESS_FILES = 2_048;

export interface ConnectionRoom {
  connections: number;
  /** What the system allows less of than is wanted, and what to do about it. */
  warnings: string[];
}

/**
 * How many connections this process can hold. At its limit of descriptors Node takes further connections and closes them without
 * a word, to apps and to us, so the limit of connections has to come first.
 */
export function connectionRoom(wanted: number, procRoot = "/proc"): ConnectionRoom {
  const warnings: string[] = [];
  const files = numberIn(`${procRoot}/self/limits`, FILES_LIMIT);
  const free = Math.max(2, (files ?? Number.POSITIVE_INFINITY) - OTHER_DESCRIPTORS);
  const possible = free >= 2 * SAMPLED_PROCESSES ? free - SAMPLED_PROCESSES : Math.floor(free / 2);
  const connections = Math.min(wanted, possible);
  if (connections < wanted) {
    warnings.push(
      `this process may open ${files} files, so ${connections} connections are taken instead of ${wanted}: raise LimitNOFILE (ulimit -n), or lower limits.connections`,
    );
  }
  const backlog = numberIn(`${procRoot}/sys/net/core/somaxconn`, /^(\d+)/);
  if (backlog !== null && backlog < SOCKET_BACKLOG) {
    warnings.push(
      `net.core.somaxconn is ${backlog}: when more apps than that connect at one moment, some have to try again; set it to ${SOCKET_BACKLOG} with sysctl`,
    );
  }
  return { connections, warnings };
}

/** How many files may stay open besides all that connections, apps' processes and the rest can need. */
export function filesLeftBy(wantedConnections: number, procRoot = "/proc"): number {
  const files = numberIn(`${procRoot}/self/limits`, FILES_LIMIT) ?? Number.POSITIVE_INFINITY;
  const left = files - OTHER_DESCRIPTORS - SAMPLED_PROCESSES - wantedConnections;
  return Math.max(0, Math.min(MAX_PROCESS_FILES, left));
}

/** Null where the file or the number is missing: "unlimited", another system. */
function numberIn(path: string, pattern: RegExp): number | null {
  try {
    const text = pattern.exec(readFileSync(path, "latin1"))?.[1];
    return text === undefined ? null : Number(text);
  } catch {
    return null;
  }
}
