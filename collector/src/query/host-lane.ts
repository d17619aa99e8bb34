import type { HostSnapshot } from "@apm-daemon/protocol";
import type { MetricValues, Store } from "../store/store.ts";
import { requireHost, sampleUnitSec } from "./host-details.ts";
import { answeredRange, type QueryRange, type Steps, stepsOf } from "./time-range.ts";

/** What a waterfall shows of its host and process, second by second. */
const HOST_LANE = [
  "cpuUserRatio",
  "cpuNiceRatio",
  "cpuSystemRatio",
  "cpuIrqRatio",
  "cpuSoftirqRatio",
  "cpuIowaitRatio",
  "cpuStealRatio",
  "psiCpuSomeRatio",
  "psiMemorySomeRatio",
  "psiIoSomeRatio",
  "procsRunnable",
] as const;
const PROCESS_LANE = ["cpuRatio", "eventLoopDelayP99Ms", "gcPauseMs", "cgroupThrottledRatio"] as const;
/** An hour of them, at one in ten seconds. */
const MAX_SNAPSHOTS = 360;
/** Windows of one snapshot: what it says of processes is of the seconds since the one before. */
const SNAPSHOT_MS = 10_000;

type Lane = Record<string, (number | null)[]>;

export interface HostLaneAnswer {
  host: string;
  from: number;
  to: number;
  t0: number;
  stepMs: number;
  cols: Lane;
  /** The named process; null when none was named, or nothing is stored of it. */
  process: { app: string; pid: number; cols: Lane } | null;
  /** Null where it is not kept any more. */
  busiest: BusiestProcess[] | null;
}

/** The process with most CPU time among those that are not the named one. */
export interface BusiestProcess {
  from: number;
  to: number;
  pid: number;
  user: string;
  command: string;
  cpuRatio: number;
}

/** What a host, and one process on it, did second by second. */
export async function hostLane(
  store: Store,
  host: string,
  range: QueryRange,
  { instance }: { instance?: string | undefined },
): Promise<HostLaneAnswer> {
  await requireHost(store, host);
  const steps = stepsOf(range, sampleUnitSec(store, range));
  const [ofHost, ofProcess, snapshots] = await Promise.all([
    store.hosts.series(host, HOST_LANE, range, steps.stepSec),
    instance === undefined
      ? null
      : store.hosts.processSeries({ host, instance }, PROCESS_LANE, range, steps.stepSec),
    // A snapshot stands for the seconds before it, so that the one after the range belongs to it.
    store.hosts.snapshots(host, { ...range, toSec: range.toSec + SNAPSHOT_MS / 1000 }, MAX_SNAPSHOTS),
  ]);
  return {
    host,
    ...answeredRange(range),
    t0: steps.firstSec * 1000,
    stepMs: steps.stepSec * 1000,
    cols: laneOf(HOST_LANE, steps, ofHost),
    process: ofProcess && {
      app: ofProcess.app,
      pid: ofProcess.pid,
      cols: laneOf(PROCESS_LANE, steps, ofProcess.steps),
    },
    // Of older snapshots one in ten minutes is left.
    busiest:
      range.fromSec < store.keptFromSec("rows")
        ? null
        : busiestOf(
            snapshots.map((json) => JSON.parse(json) as HostSnapshot),
            ofProcess?.pid ?? null,
          ),
  };
}

function laneOf(
  names: readonly string[],
  { firstSec, stepSec, count }: Steps,
  rows: readonly { stepStartSec: number; values: MetricValues }[],
): Lane {
  const lane: Lane = {};
  for (const name of names) lane[name] = Array.from({ length: count }, () => null);
  for (const { stepStartSec, values } of rows) {
    const i = (stepStartSec - firstSec) / stepSec;
    for (const [name, column] of Object.entries(lane)) column[i] = values[name] ?? null;
  }
  return lane;
}

function busiestOf(snapshots: readonly HostSnapshot[], ownPid: number | null): BusiestProcess[] {
  return snapshots.flatMap(({ tsSec, topProcesses }, i) => {
    const [busiest] = topProcesses
      .filter(({ pid }) => pid !== ownPid)
      .sort((a, b) => b.cpuRatio - a.cpuRatio);
    if (busiest === undefined || busiest.cpuRatio === 0) return [];
    const { pid, user, command, cpuRatio } = busiest;
    const to = tsSec * 1000;
    const before = (snapshots[i - 1]?.tsSec ?? 0) * 1000;
    return [{ from: Math.max(before, to - SNAPSHOT_MS), to, pid, user, command, cpuRatio }];
  });
}
