import { readFileSync } from "node:fs";

/** Resident memory of a process now, in bytes. Linux only. */
export function rssBytesOf(pid: number): number {
  return 1_024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}

/** The least of some readings, a second apart: what is garbage at one of them is gone at another. */
export async function settledRssBytes(pid: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    least = Math.min(least, rssBytesOf(pid));
  }
  return least;
}
