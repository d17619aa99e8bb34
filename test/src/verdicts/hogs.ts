import { readFileSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cleanup } from "../support/cleanup.ts";
import { Program } from "../support/program.ts";

const BUSY = "for (;;);";
/** Overwrites one file, and waits for the disk each time. */
const WRITE = `
  const { constants: { O_CREAT, O_DSYNC, O_WRONLY }, openSync, writeSync } = require("node:fs");
  const page = Buffer.alloc(1_048_576, 1);
  const file = openSync(process.argv[1], O_CREAT | O_WRONLY | O_DSYNC);
  for (;;) writeSync(file, page, 0, page.length, 0);
`;

/** Time to start in. */
const BEGIN_MS = 1_000;
/** Many enough for any test; more keep the machine from all else. */
const MOST_HOGS = 24;

/** Runs `during` while twice as many processes as there are CPUs, or as run already, compute. */
export async function withCpuHogs(during: () => Promise<unknown>): Promise<void> {
  const [running = "1"] = readFileSync("/proc/loadavg", "utf8").split(" ")[3]?.split("/") ?? [];
  const count = Math.min(
    2 * Math.max(cpus().length, Number(running)),
    Math.max(MOST_HOGS, 2 * cpus().length),
  );
  await withHogs(
    Array.from({ length: count }, () => hog("cpu hog", BUSY, "--title=hungry-neighbour")),
    during,
  );
}

/** Runs `during` while a process of the same cgroup holds, and goes through, so many bytes. */
export async function withMemoryHog(
  cgroupProcs: string,
  mebibytes: number,
  during: () => Promise<unknown>,
): Promise<void> {
  const script = 'echo $$ > "$0" && exec dd if=/dev/zero of=/dev/null bs="$1"';
  const args = ["-c", script, cgroupProcs, `${mebibytes}M`];
  await withHogs([new Program({ name: "memory hog", command: "/bin/sh", args })], during);
}

/** Runs `during` while eight processes write to the disk of that folder. */
export async function withDiskHogs(
  cleanup: Cleanup,
  folder: string,
  during: () => Promise<unknown>,
): Promise<void> {
  const files = Array.from({ length: 8 }, (_, i) => join(folder, `hog-${i}`));
  cleanup.add(() => {
    for (const file of files) rmSync(file, { force: true });
  });
  await withHogs(
    files.map((file) => hog("disk hog", WRITE, file)),
    during,
  );
}

async function withHogs(hogs: Program[], during: () => Promise<unknown>): Promise<void> {
  try {
    await sleep(BEGIN_MS);
    await during();
  } finally {
    await Promise.all(hogs.map((one) => one.kill()));
  }
}

function hog(name: string, script: string, ...args: string[]): Program {
  const flags = args.filter((arg) => arg.startsWith("--"));
  const rest = args.filter((arg) => !arg.startsWith("--"));
  return new Program({ name, command: process.execPath, args: [...flags, "-e", script, ...rest] });
}
