import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, hostname, type as osType, release, totalmem, uptime } from "node:os";
import { dirname } from "node:path";
import type { HostIdentity } from "@apm-daemon/protocol";
import { readSystemFacts } from "./system-facts.ts";

const HOST_ID = /^[0-9a-f]{32}$/;
const NO_ID = "0".repeat(32);

export interface InventoryOptions {
  /** The name shown; default the system's host name. */
  name?: string;
  daemonVersion: string;
  /** Where a random identity is kept on systems without a machine id; made when needed, with its folder. */
  hostIdFile: string;
  /** Tried in order; default those of systemd and D-Bus. */
  machineIdFiles?: readonly string[];
  /** Default /proc. */
  procRoot?: string;
  /** What systeminformation has not told by then stays as plain as Node's `os` knows it. Default 10,000. */
  timeoutMs?: number;
}

/** Who this host is. Starts programs: for the daemon's start and a schedule, never for a beat. */
export async function readInventory(options: InventoryOptions): Promise<HostIdentity> {
  const { procRoot = "/proc", timeoutMs = 10_000 } = options;
  const facts = await readSystemFacts(timeoutMs);
  const timeZone = readTimeZone();
  return {
    id: readHostId(options),
    name: options.name ?? hostname(),
    os: facts?.os || osType(),
    kernel: release(),
    arch: process.arch,
    cpuModel: facts?.cpuModel || cpus()[0]?.model || "unknown",
    cores: cpus().length || availableParallelism(),
    memTotalBytes: totalmem(),
    virtualization: facts?.virtualization || "unknown",
    bootUnixMs: readBootUnixMs(procRoot),
    daemonVersion: options.daemonVersion,
    nodeVersion: process.versions.node,
    ...(timeZone !== null && { timeZone }),
  };
}

/**
 * The machine id, else a random one kept in `hostIdFile`. Hosts cloned from one image share a machine id until their
 * admin renews it. Throws what the file system throws when the random one cannot be kept: a new identity at each start
 * would show as a new host each time.
 */
function readHostId(options: InventoryOptions): string {
  const { machineIdFiles = ["/etc/machine-id", "/var/lib/dbus/machine-id"], hostIdFile } = options;
  for (const file of [...machineIdFiles, hostIdFile]) {
    const id = readId(file);
    if (id !== null) return id;
  }
  const id = randomBytes(16).toString("hex");
  mkdirSync(dirname(hostIdFile), { recursive: true });
  writeFileSync(`${hostIdFile}.new`, `${id}\n`);
  renameSync(`${hostIdFile}.new`, hostIdFile);
  return id;
}

/** Null for a file that is missing, or holds something else, such as systemd's "uninitialized". */
function readId(file: string): string | null {
  try {
    const id = readFileSync(file, "utf8").trim();
    return HOST_ID.test(id) && id !== NO_ID ? id : null;
  } catch {
    return null;
  }
}

/** The system's zone as IANA names it, from where /etc/localtime leads: Intl would say it too, and keeps megabytes for that. */
function readTimeZone(): string | null {
  try {
    return (
      /\/zoneinfo\/(?:posix\/)?([\w+-]+(?:\/[\w+-]+)*)$/.exec(realpathSync("/etc/localtime"))?.[1] ?? null
    );
  } catch {
    return null; // no such file: it is not known
  }
}

function readBootUnixMs(procRoot: string): number {
  try {
    const bootSec = /^btime (\d+)$/m.exec(readFileSync(`${procRoot}/stat`, "utf8"))?.[1];
    if (bootSec !== undefined) return Number(bootSec) * 1000;
  } catch {
    // Not Linux: the uptime says it to the second.
  }
  return Math.round((Date.now() - uptime() * 1000) / 1000) * 1000;
}
