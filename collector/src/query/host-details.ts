import { HOST_METRICS, type HostSnapshot } from "@apm-daemon/protocol";
import type { Store, StoredProcess } from "../store/store.ts";
import type { Completeness } from "./completeness.ts";
import { NotFound } from "./not-found.ts";
import { sampleCompleteness } from "./sample-completeness.ts";
import { answeredRange, type QueryRange, stepsOf, WINDOW_SEC } from "./time-range.ts";

export const HOST_METRIC_NAMES: readonly string[] = HOST_METRICS.map((metric) => metric.name);

export interface HostSeriesAnswer {
  host: string;
  from: number;
  to: number;
  t0: number;
  stepMs: number;
  cols: Record<string, (number | null)[]>;
  /** Of the host's seconds, whatever metrics were asked for. */
  completeness: Completeness;
  completenessRatios: (number | null)[];
}

/** The named metrics of a host over time; null where nothing arrived. */
export async function hostSeries(
  store: Store,
  host: string,
  range: QueryRange,
  options: { metrics: readonly string[]; stepMs?: number | undefined },
): Promise<HostSeriesAnswer> {
  await requireHost(store, host);
  const steps = stepsOf(range, sampleUnitSec(store, range), (options.stepMs ?? 0) / 1000);
  const cols: Record<string, (number | null)[]> = {};
  for (const name of options.metrics) cols[name] = Array.from({ length: steps.count }, () => null);
  const [series, sampled] = await Promise.all([
    store.hosts.series(host, options.metrics, range, steps.stepSec),
    store.hosts.sampledSteps(host, range, steps.stepSec),
  ]);
  for (const { stepStartSec, values } of series) {
    const i = (stepStartSec - steps.firstSec) / steps.stepSec;
    for (const [name, column] of Object.entries(cols)) column[i] = values[name] ?? null;
  }
  const { completeness, ratios } = sampleCompleteness(sampled, steps);
  return {
    host,
    ...answeredRange(range),
    t0: steps.firstSec * 1000,
    stepMs: steps.stepSec * 1000,
    cols,
    completeness,
    completenessRatios: ratios,
  };
}

export interface SnapshotAnswer extends Omit<HostSnapshot, "tsSec"> {
  host: string;
  tsMs: number;
}

export async function hostSnapshot(store: Store, host: string, range: QueryRange): Promise<SnapshotAnswer> {
  const json = await store.hosts.newestSnapshot(host, range);
  if (json === null)
    throw new NotFound(`there is no snapshot of a host ${JSON.stringify(host)} in this range`);
  const { tsSec, ...parts } = JSON.parse(json) as HostSnapshot;
  return { host, tsMs: tsSec * 1000, ...parts };
}

export interface ProcessesAnswer {
  host: string;
  from: number;
  to: number;
  processes: StoredProcess[];
}

export async function hostProcesses(store: Store, host: string, range: QueryRange): Promise<ProcessesAnswer> {
  await requireHost(store, host);
  return { host, ...answeredRange(range), processes: await store.hosts.processes(host, range) };
}

/** Seconds that one stored sample of a host stands for; of raw rows one, although counters live in windows. */
export function sampleUnitSec(store: Store, range: QueryRange): number {
  const resolutionSec = store.resolutionSec(range);
  return resolutionSec > WINDOW_SEC ? resolutionSec : 1;
}

export async function requireHost(store: Store, host: string): Promise<void> {
  if (!(await store.hosts.exists(host))) throw new NotFound(`there is no host ${JSON.stringify(host)}`);
}
