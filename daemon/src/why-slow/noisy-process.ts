import type { VerdictCause } from "@apm-daemon/protocol";

/** A process that was among the busiest of some seconds. */
export interface BusyProcess {
  pid: number;
  command: string;
  /** 1 = one whole core. */
  cpuRatio: number;
  ioBytesPerSecond: number;
  /** Whether it is that process or one below it. */
  isOfTree(rootPid: number): boolean;
}

export interface BusyProcesses {
  busiest(fromTsSec: number, toTsSec: number): BusyProcess[];
}

/** What a process takes from others. */
export type Noise = "cpuRatio" | "ioBytesPerSecond";

/**
 * Who takes all the time is no news: it must have taken that much more than in the minute before. An eighth of a core: on a host
 * with twice as many hogs as cores each has a fourth to a half.
 */
const MIN_MORE: Readonly<Record<Noise, number>> = { cpuRatio: 0.125, ioBytesPerSecond: 1_000_000 };
const BEFORE_SEC = 60;

/** The process outside of the app's tree that took most beyond what it took before; null when none stands out. */
export function noisyProcess(
  host: BusyProcesses,
  noise: Noise,
  startUnixMs: number,
  endUnixMs: number,
  appPid: number | null,
): VerdictCause["process"] | null {
  const startSec = Math.floor(startUnixMs / 1_000);
  const before = new Map(
    host.busiest(startSec - BEFORE_SEC, startSec - 1).map((busy) => [busy.pid, busy[noise]]),
  );
  let noisiest: BusyProcess | null = null;
  let most = MIN_MORE[noise];
  for (const busy of host.busiest(startSec, Math.floor(endUnixMs / 1_000))) {
    const more = busy[noise] - (before.get(busy.pid) ?? 0);
    if (more < most || (appPid !== null && busy.isOfTree(appPid))) continue;
    noisiest = busy;
    most = more;
  }
  if (noisiest === null) return null;
  const { pid, command, cpuRatio } = noisiest;
  return { pid, command, cpuRatio: Number(cpuRatio.toPrecision(3)) };
}
