import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program of the operating system that tests use as the real thing. */
export interface Part {
  name: PartName;
  debianPackage: string;
  /** File name of the program to start. */
  program: string;
}

export type PartName =
  | "postgresql"
  | "mariadb"
  | "redis"
  | "memcached"
  | "kafka"
  | "chromium"
  | "strace"
  | "nftables"
  | "iproute2"
  | "faketime"
  | "sysstat"
  | "procps"
  | "python3"
  | "systemd"
  | "lintian"
  | "tmux";

export const PARTS: readonly Part[] = [
  { name: "postgresql", debianPackage: "postgresql", program: "postgres" },
  { name: "mariadb", debianPackage: "mariadb-server", program: "mariadbd" },
  { name: "redis", debianPackage: "redis-server", program: "redis-server" },
  { name: "memcached", debianPackage: "memcached", program: "memcached" },
  // librdkafka, which kcat is made with, has a cluster for tests in it.
  { name: "kafka", debianPackage: "kcat", program: "kcat" },
  { name: "chromium", debianPackage: "chromium", program: "chromium" },
  { name: "strace", debianPackage: "strace", program: "strace" },
  { name: "nftables", debianPackage: "nftables", program: "nft" },
  { name: "iproute2", debianPackage: "iproute2", program: "ip" },
  { name: "faketime", debianPackage: "faketime", program: "faketime" },
  { name: "sysstat", debianPackage: "sysstat", program: "mpstat" },
  { name: "procps", debianPackage: "procps", program: "free" },
  { name: "python3", debianPackage: "python3", program: "python3" },
  { name: "systemd", debianPackage: "systemd", program: "systemd-notify" },
  { name: "lintian", debianPackage: "lintian", program: "lintian" },
  { name: "tmux", debianPackage: "tmux", program: "tmux" },
];

/** Debian keeps PostgreSQL's programs out of PATH, one folder a version; daemons live in sbin, which users' PATH lacks. */
function folders(): string[] {
  const versions = "/usr/lib/postgresql";
  const postgres = existsSync(versions)
    ? readdirSync(versions)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(versions, version, "bin"))
    : [];
  return [...(process.env["PATH"] ?? "").split(delimiter), ...postgres, "/usr/bin", "/usr/sbin"];
}

/** Full path of an installed program, or null. */
export function findProgram(name: string): string | null {
  for (const folder of folders()) {
    const path = join(folder, name);
    if (folder !== "" && existsSync(path)) return path;
  }
  return null;
}

export function missingParts(names: readonly PartName[]): Part[] {
  return PARTS.filter((part) => names.includes(part.name) && findProgram(part.program) === null);
}

/** What node:test wants as `skip`: false when all is there, else the reason. */
export function skipWithout(...names: PartName[]): string | false {
  const missing = missingParts(names).map((part) => part.debianPackage);
  return missing.length === 0 ? false : `not installed: ${missing.join(", ")}`;
}
