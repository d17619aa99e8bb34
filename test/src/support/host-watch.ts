import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import type { Bounds } from "./request-truth.ts";

const EVERY_MS = 250;
/** Around a moment; the daemon looks once a second. */
const NEAR_MS = 2_500;

interface Look {
  ms: number;
  load1: number;
  memoryUsedRatio: number;
}

/** What the kernel says of this machine while a test runs, without asking the product. */
export class HostWatch {
  readonly #looks: Look[] = [];
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#timer = setInterval(() => this.#looks.push(look()), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Around a moment; throws when nobody looked then. */
  near(unixMs: number): {
    load: Bounds;
    memory: Bounds;
    cores: number;
    memTotalBytes: number;
    kernel: string;
  } {
    const looks = this.#looks.filter(({ ms }) => Math.abs(ms - unixMs) <= NEAR_MS);
    if (looks.length === 0) throw new Error(`nobody looked around ${new Date(unixMs).toISOString()}`);
    const bounds = (values: number[]): Bounds => ({ low: Math.min(...values), high: Math.max(...values) });
    return {
      load: bounds(looks.map(({ load1 }) => load1)),
      memory: bounds(looks.map(({ memoryUsedRatio }) => memoryUsedRatio)),
      cores: cpus().length,
      memTotalBytes: totalmem(),
      kernel: release(),
    };
  }
}

function look(): Look {
  const memory = readFileSync("/proc/meminfo", "utf8");
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(memory)?.[1]);
  return {
    ms: Date.now(),
    load1: Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]),
    memoryUsedRatio: 1 - kib("MemAvailable") / kib("MemTotal"),
  };
}
