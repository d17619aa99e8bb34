import { type CauseKind, HOST_METRICS, PROCESS_METRICS, type VerdictCause } from "@apm-daemon/protocol";
import type { TimeUse } from "./request-time.ts";
import type { Surroundings } from "./surroundings.ts";
import type { TimePools } from "./time-pools.ts";
import { type Measured, unusualExcess } from "./usual.ts";

/**
 * The least spread of each measure that is taken for real: 3.5 of them above the median can be unusual. Each is what a quiet
 * host and ordinary work beside it were seen to vary by (docs/decisions/0023).
 */
const FLOORS = {
  cpuStealRatio: 0.01,
  psiCpuSomeRatio: 0.05,
  procsRunnable: 0.5,
  cgroupThrottledRatio: 0.02,
  psiMemorySomeRatio: 0.02,
  swapInBytesPerSecond: 131_072,
  swapOutBytesPerSecond: 131_072,
  psiIoSomeRatio: 0.05,
  diskBusyRatio: 0.05,
  diskAwaitMs: 2,
  cpuIowaitRatio: 0.03,
  tcpRetransmitsPerSecond: 0.3,
  gcPauseMs: 20,
  eventLoopDelayP99Ms: 60,
} as const;

type SignalName = keyof typeof FLOORS;

const UNITS: ReadonlyMap<string, VerdictCause["unit"]> = new Map(
  [...HOST_METRICS, ...PROCESS_METRICS].map(({ name, unit }) => [name, unit]),
);

/** The kernel waits 0.2 s before it sends again, and twice as long each time; 0.4 s was seen on average with 40 % lost. */
const RETRANSMIT_SEC = 0.4;
/** Nothing is known of a local database's own process: a quarter of its waits may be for a CPU. Most are not. */
const LOCAL_CPU_FACTOR = 0.25;
/** Pages are read from swap one by one, 0.1 ms each; PSI does not count all of it. */
const SWAP_BYTES_PER_STALLED_SECOND = 40_960_000;
/** A group that reads files is near its limit most of the time, and beyond this only when it gives up pages for others. */
const AT_LIMIT_RATIO = 0.9;
/** The agent watches the pauses only while it has reason to: of a request that is it, the first second is missing. */
const SECOND_MS = 1_000;
/** Less than that of a process's own I/O and it waited for no disk. */
const OWN_IO_BYTES_PER_SECOND = 4_096;
/** What dominates a request waits at one place for at least that share of it. */
const MIN_WAIT_RATIO = 0.3;
const MAX_WAITS = 2;

export interface CauseContext {
  around: Surroundings;
  use: TimeUse;
  durationMs: number;
  cores: number;
  pools: TimePools;
}

type Find = (context: CauseContext) => VerdictCause[];

/** In this order they take from the request's time: the more specific before the more general. */
export const FINDERS: readonly Find[] = [
  throttling,
  steal,
  memory,
  contention,
  disk,
  network,
  garbageCollection,
  eventLoop,
  waits,
];

function throttling({ around, pools }: CauseContext): VerdictCause[] {
  const held = around.process("cgroupThrottledRatio");
  const share = pools.takeStalled(Math.min(1, excess(held, "cgroupThrottledRatio")));
  return causes("cpu_throttling", share, ["cgroupThrottledRatio"], () => held);
}

/** Of the time in which the host wanted a CPU, the share in which the hypervisor gave none. */
function steal({ around, pools }: CauseContext): VerdictCause[] {
  const stolen = hostExcess(around, "cpuStealRatio");
  const idle = around.host("cpuIdleRatio")?.value ?? 0;
  const iowait = around.host("cpuIowaitRatio")?.value ?? 0;
  const wanted = Math.max(stolen, 1 - idle - iowait);
  const ratio = wanted > 0 ? Math.min(1, stolen / wanted) : 0;
  const share = pools.takeStalled(ratio) + pools.takeLocalWait(ratio * LOCAL_CPU_FACTOR);
  return onHost(around, "cpu_steal", share, "cpuStealRatio");
}

/**
 * Swap when pages came from it or went there, else what the kernel spends on finding free memory. What it works on that counts as the
 * process's own CPU: about as long as the process waits for it. Waits for the disk are the memory's where pages are read back.
 */
function memory({ around, pools }: CauseContext): VerdictCause[] {
  const swappedIn = hostExcess(around, "swapInBytesPerSecond");
  const swapped = swappedIn + hostExcess(around, "swapOutBytesPerSecond");
  const ratio = Math.max(
    hostExcess(around, "psiMemorySomeRatio"),
    Math.min(1, swappedIn / SWAP_BYTES_PER_STALLED_SECOND),
    readsBack(around) ? hostExcess(around, "psiIoSomeRatio") : 0,
  );
  const waited = pools.takeStalled(ratio);
  const worked = waited > 0 ? pools.takeWorking(Math.min(waited, ratio * pools.working)) : 0;
  const share = waited + worked + pools.takeLocalWait(ratio);
  return swapped > 0
    ? onHost(around, "swap", share, "swapInBytesPerSecond", "swapOutBytesPerSecond")
    : onHost(around, "memory_pressure", share, "psiMemorySomeRatio");
}

/** What a control group at its limit reads while memory is short, it had to give up before. */
function readsBack(around: Surroundings): boolean {
  const used = around.process("cgroupMemoryUsedBytes")?.value ?? 0;
  const limit = around.process("cgroupMemoryLimitBytes")?.value ?? Number.POSITIVE_INFINITY;
  return used >= AT_LIMIT_RATIO * limit && hostExcess(around, "psiMemorySomeRatio") > 0;
}

/**
 * n tasks that want a CPU on c cores each have one for c/n of the time: work takes n/c as long, where max(c, usual n)/c is usual.
 * Tasks are counted once a second, when those of a short request may have gone, and the daemon itself always runs then. PSI says for
 * how much of the time somebody waited.
 */
function contention({ around, cores, pools }: CauseContext): VerdictCause[] {
  const runnable = around.host("procsRunnable");
  const tasks = (around.hostMost("procsRunnable") ?? 0) - 1;
  const usualTasks = Math.max(cores, (runnable?.usual?.median ?? 0) - 1);
  const isUnusual = hostExcess(around, "psiCpuSomeRatio") > 0 || hostExcess(around, "procsRunnable") > 0;
  const crowding = isUnusual && tasks > usualTasks ? 1 - usualTasks / tasks : 0;
  const ratio = Math.min(crowding, around.host("psiCpuSomeRatio")?.value ?? 1);
  const share = pools.takeStalled(ratio) + pools.takeLocalWait(ratio * LOCAL_CPU_FACTOR);
  return onHost(around, "cpu_contention", share, "psiCpuSomeRatio", "procsRunnable");
}

/** A process that reads and writes nothing waits for no disk, whatever others do to it; a database here may. */
function disk({ around, pools }: CauseContext): VerdictCause[] {
  const hasPressure = around.host("psiIoSomeRatio") !== null;
  const ratio = hostExcess(around, hasPressure ? "psiIoSomeRatio" : "diskBusyRatio");
  const usesDisk = !readsBack(around) && ownIoBytesPerSecond(around) >= OWN_IO_BYTES_PER_SECOND;
  const own = usesDisk ? pools.takeStalled(ratio) + pools.takeIdle(ratio) : 0;
  const share = own + pools.takeLocalWait(ratio);
  return onHost(around, "disk", share, "diskAwaitMs", "diskBusyRatio", "psiIoSomeRatio", "cpuIowaitRatio");
}

/** Infinite where it may not be read. */
function ownIoBytesPerSecond(around: Surroundings): number {
  const read = around.process("ioReadBytesPerSecond");
  const write = around.process("ioWriteBytesPerSecond");
  return read === null && write === null
    ? Number.POSITIVE_INFINITY
    : (read?.value ?? 0) + (write?.value ?? 0);
}

/** Each segment sent again had been waited for. */
function network({ around, pools, durationMs }: CauseContext): VerdictCause[] {
  const perSecond = hostExcess(around, "tcpRetransmitsPerSecond");
  const waitedSec = pools.remoteWait * (durationMs / 1_000);
  // Seconds that the request touched, for they are all that is counted.
  const lostSec = perSecond * Math.max(1, durationMs / 1_000) * RETRANSMIT_SEC;
  const share = waitedSec > 0 ? pools.takeRemoteWait(Math.min(1, lostSec / waitedSec)) : 0;
  return onHost(around, "network", share, "tcpRetransmitsPerSecond");
}

/** Pauses of a process that lacks a CPU are long for that. */
function garbageCollection({ around, pools, durationMs }: CauseContext): VerdictCause[] {
  const most = around.told("gcPauseMs", "max");
  if (!pools.isComputing || excess(most, "gcPauseMs") <= 0) return [];
  const pausedMs = around.told("gcPauseMs", "sum")?.value ?? 0;
  const share = pools.takeWorking(Math.min(1, pausedMs / Math.max(SECOND_MS, durationMs - SECOND_MS)));
  return causes("garbage_collection", share, ["gcPauseMs"], () => most);
}

/**
 * The app had the CPU, and nothing else had a turn meanwhile. A loop that lacks a CPU is late, too, and not by its
 * own code. The longest block of each second is what is known of them all.
 */
function eventLoop({ around, pools, durationMs }: CauseContext): VerdictCause[] {
  const delay = around.told("eventLoopDelayP99Ms", "max");
  if (!pools.isComputing || excess(delay, "eventLoopDelayP99Ms") <= 0) return [];
  const blockedMs = around.told("eventLoopDelayP99Ms", "sum")?.value ?? 0;
  const share = pools.takeWorking(Math.min(1, blockedMs / durationMs));
  return causes("event_loop", share, ["eventLoopDelayP99Ms"], () => delay);
}

/** What of the waits nothing else explains is the database's, the cache's or the service's own. */
function waits({ use, pools, durationMs }: CauseContext): VerdictCause[] {
  return use.waits
    .filter(({ ratio }) => ratio >= MIN_WAIT_RATIO)
    .slice(0, MAX_WAITS)
    .map((wait) => ({
      kind: wait.category,
      metric: "durationMs",
      unit: "ms",
      value: wait.ratio * durationMs,
      usual: null,
      share: pools.unexplainedOf(wait),
      target: wait.target,
      operation: wait.operation,
    }));
}

/** The cause with the first of these measures that is unusual; none when it explains nothing. */
function causes(
  kind: CauseKind,
  share: number,
  names: readonly SignalName[],
  measure: (name: SignalName) => Measured | null,
): VerdictCause[] {
  if (share <= 0) return [];
  const known = names.flatMap((name) => {
    const measured = measure(name);
    return measured === null ? [] : [{ name, measured }];
  });
  const shown = known.find(({ name, measured }) => excess(measured, name) > 0) ?? known[0];
  if (shown === undefined) return [];
  const { name, measured } = shown;
  const usual = measured.usual?.median ?? null;
  return [{ kind, metric: name, unit: UNITS.get(name) ?? "1", value: measured.value, usual, share }];
}

function onHost(
  around: Surroundings,
  kind: CauseKind,
  share: number,
  ...names: SignalName[]
): VerdictCause[] {
  return causes(kind, share, names, (name) => around.host(name));
}

function hostExcess(around: Surroundings, name: SignalName): number {
  return around.hostExcess(name, FLOORS[name]);
}

function excess(measured: Measured | null, name: SignalName): number {
  return unusualExcess(measured, FLOORS[name]);
}
