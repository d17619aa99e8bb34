import type { Column, HostLaneAnswer } from "../../data/answers.ts";
import { sumColumns } from "../../data/columns.ts";

/** One drawn layer of a row: how high it stands in each second, 0 to 1; null where it is not known. */
export interface LaneLayer {
  color: "code" | "database" | "cache" | "external" | "queue";
  heights: Column;
}

/** One measure of the host or process under a waterfall. */
export interface LaneRow {
  key: LaneKey;
  unit: "ratio" | "count" | "ms";
  values: Column;
  /** From the bottom up, each on top of the one before. */
  layers: LaneLayer[];
  /** Runs of seconds of which nothing arrived, first and behind the last. */
  missing: [number, number][];
}

export type LaneKey =
  | "cpu"
  | "psiCpu"
  | "psiMemory"
  | "psiIo"
  | "runnable"
  | "appCpu"
  | "throttled"
  | "loop"
  | "gc";

/** From the bottom up, in the colours of the host's page. */
export const CPU_MODES = [
  { key: "user", color: "code", metrics: ["cpuUserRatio", "cpuNiceRatio"] },
  { key: "system", color: "external", metrics: ["cpuSystemRatio"] },
  { key: "irq", color: "queue", metrics: ["cpuIrqRatio", "cpuSoftirqRatio"] },
  { key: "iowait", color: "cache", metrics: ["cpuIowaitRatio"] },
  { key: "steal", color: "database", metrics: ["cpuStealRatio"] },
] as const;

/** Measures that reach this height of a row at least, so that noise of an idle host looks like none. */
const LEAST_TOP = { ratio: 1, count: 4, ms: 100 } as const;

/** What the lane has data of, in the order of the page. */
export function laneRows({ cols, process }: HostLaneAnswer): LaneRow[] {
  const ofHost = (name: string): Column => cols[name] ?? [];
  const ofProcess = (name: string): Column => process?.cols[name] ?? [];
  const hostMissing = missingRuns(Object.values(cols));
  // Of garbage collection not every second is watched; what arrived at all shows in the CPU time.
  const processMissing = missingRuns([ofProcess("cpuRatio"), ofProcess("eventLoopDelayP99Ms")]);
  const plain = (
    key: LaneKey,
    unit: LaneRow["unit"],
    color: LaneLayer["color"],
    values: Column,
    missing: [number, number][],
  ): LaneRow => {
    const top = Math.max(LEAST_TOP[unit], ...values.map((value) => value ?? 0));
    const heights = values.map((value) => (value === null ? null : value / top));
    return { key, unit, values, layers: [{ color, heights }], missing };
  };
  const rows: LaneRow[] = [
    cpuRow(cols, hostMissing),
    plain("psiCpu", "ratio", "database", ofHost("psiCpuSomeRatio"), hostMissing),
    plain("psiMemory", "ratio", "cache", ofHost("psiMemorySomeRatio"), hostMissing),
    plain("psiIo", "ratio", "external", ofHost("psiIoSomeRatio"), hostMissing),
    plain("runnable", "count", "queue", ofHost("procsRunnable"), hostMissing),
    plain("appCpu", "ratio", "code", ofProcess("cpuRatio"), processMissing),
    plain("throttled", "ratio", "database", ofProcess("cgroupThrottledRatio"), processMissing),
    plain("loop", "ms", "code", ofProcess("eventLoopDelayP99Ms"), processMissing),
    plain("gc", "ms", "cache", ofProcess("gcPauseMs"), processMissing),
  ];
  return rows.filter(({ values }) => values.some((value) => value !== null));
}

function cpuRow(cols: Record<string, Column>, missing: [number, number][]): LaneRow {
  const modes = CPU_MODES.map(({ color, metrics }) => ({
    color,
    heights: sumColumns(metrics.map((name) => cols[name] ?? [])),
  }));
  const busy = modes.filter(({ color }) => color !== "cache").map(({ heights }) => heights);
  return { key: "cpu", unit: "ratio", values: sumColumns(busy), layers: modes, missing };
}

/** Runs of indexes at which none of the columns has a value. */
export function missingRuns(columns: readonly Column[]): [number, number][] {
  const length = Math.max(0, ...columns.map((column) => column.length));
  const runs: [number, number][] = [];
  for (let i = 0; i < length; i++) {
    if (columns.some((column) => (column[i] ?? null) !== null)) continue;
    const last = runs.at(-1);
    if (last && last[1] === i) last[1] = i + 1;
    else runs.push([i, i + 1]);
  }
  return runs;
}

/** The highest value among the steps that a span of time touches; null when none is known. */
export function highestIn(
  values: Column,
  lane: { t0: number; stepMs: number },
  fromMs: number,
  toMs: number,
): number | null {
  const { first, last } = touchedSteps(lane, fromMs, toMs);
  const known = values.slice(first, last + 1).filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

/** The steps that a span of time touches. */
export function touchedSteps(
  { t0, stepMs }: { t0: number; stepMs: number },
  fromMs: number,
  toMs: number,
): { first: number; last: number } {
  const first = Math.max(0, Math.floor((fromMs - t0) / stepMs));
  // A request that ends with a second has nothing of the next one.
  return { first, last: Math.max(first, Math.ceil((toMs - t0) / stepMs) - 1) };
}

/** The middle value of the steps before a moment; null when there are fewer than five. */
export function usualBefore(
  values: Column,
  { t0, stepMs }: { t0: number; stepMs: number },
  untilMs: number,
): number | null {
  const before = values.slice(0, Math.max(0, Math.floor((untilMs - t0) / stepMs)));
  const known = before.filter((value) => value !== null).sort((a, b) => a - b);
  return known.length < 5 ? null : (known[Math.floor(known.length / 2)] ?? null);
}
