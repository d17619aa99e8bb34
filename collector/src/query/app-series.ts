import type { ActionKind } from "@apm-daemon/protocol";
import type { RequestTotals, Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { type Completeness, completeness } from "./completeness.ts";
import { groupedBy } from "./grouped-by.ts";
import { addedUpRequests, requestStatistics } from "./request-statistics.ts";
import { answeredRange, minutesUpToNow, type QueryRange, stepRange, stepsOf } from "./time-range.ts";

const COLUMNS = [
  "requests",
  "errors",
  "errorRate",
  "apdex",
  "throughputRpm",
  "avgMs",
  "p50Ms",
  "p95Ms",
  "p99Ms",
  "codeMs",
  "databaseMs",
  "cacheMs",
  "externalMs",
  "queueMs",
  "status2xx",
  "status3xx",
  "status4xx",
  "status5xx",
  "completenessRatio",
] as const;
type Point = Record<(typeof COLUMNS)[number], number | null>;

export interface AppSeriesAnswer {
  app: string;
  from: number;
  to: number;
  t0: number;
  stepMs: number;
  cols: Record<(typeof COLUMNS)[number], (number | null)[]>;
  /** Of the whole app, whatever the action or kind asked for. */
  completeness: Completeness;
}

/** Statistics over time. Counts are 0 where the app reported without requests, and null where it did not report. */
export async function appSeries(
  store: Store,
  app: string,
  range: QueryRange,
  options: { action?: string | undefined; kind?: ActionKind | undefined; stepMs?: number | undefined },
): Promise<AppSeriesAnswer> {
  await requireApp(store, app);
  const steps = stepsOf(range, store.resolutionSec(range), (options.stepMs ?? 0) / 1000);
  const { stepSec, firstSec } = steps;
  const filter = { range, app, action: options.action };
  const [byKind, reported, outcomes] = await Promise.all([
    // The heatmap asks for the same.
    store.requests.totals(filter, { by: ["kind", "status"], stepSec, withHistograms: true }),
    store.apps.reportedSteps(app, range, stepSec),
    store.ledger.outcomes(app, range, stepSec),
  ]);
  const reportedSteps = new Set(reported);
  const byStatus = byKind.filter(({ kind }) => options.kind === undefined || kind === options.kind);
  const statusesOf = groupedBy(byStatus, ({ stepStartSec: start }) => start);
  const outcomesOf = groupedBy(outcomes, ({ stepStartSec: start }) => start);
  const points = Array.from({ length: steps.count }, (_, i) => {
    const startSec = firstSec + i * stepSec;
    const statuses = statusesOf.get(startSec) ?? [];
    if (statuses.length === 0 && !reportedSteps.has(startSec)) return null;
    const { ratio } = completeness(outcomesOf.get(startSec) ?? []);
    return pointOf(statuses, minutesUpToNow(stepRange(range, steps, i)), ratio);
  });
  const cols = Object.fromEntries(
    COLUMNS.map((name) => [name, points.map((point) => point?.[name] ?? null)]),
  );
  return {
    app,
    ...answeredRange(range),
    t0: firstSec * 1000,
    stepMs: stepSec * 1000,
    cols: cols as AppSeriesAnswer["cols"],
    completeness: completeness(addedUp(outcomes)),
  };
}

function addedUp(rows: readonly { outcome: string; spans: number }[]): { outcome: string; spans: number }[] {
  const sums = new Map<string, number>();
  for (const { outcome, spans } of rows) sums.set(outcome, (sums.get(outcome) ?? 0) + spans);
  return [...sums].map(([outcome, spans]) => ({ outcome, spans }));
}

function pointOf(
  statuses: readonly RequestTotals[],
  minutes: number,
  completenessRatio: number | null,
): Point {
  const statistics = requestStatistics(addedUpRequests(statuses), null, minutes);
  const { responseTimeMs, timeSplitMs } = statistics;
  const inClass = (digit: number): number =>
    statuses.reduce((sum, row) => sum + (Math.floor(row.status / 100) === digit ? row.requests : 0), 0);
  return {
    requests: statistics.requests,
    errors: statistics.errors,
    errorRate: statistics.errorRate,
    apdex: statistics.apdex,
    throughputRpm: statistics.throughputRpm,
    avgMs: responseTimeMs?.avg ?? null,
    p50Ms: responseTimeMs?.p50 ?? null,
    p95Ms: responseTimeMs?.p95 ?? null,
    p99Ms: responseTimeMs?.p99 ?? null,
    codeMs: timeSplitMs?.code ?? null,
    databaseMs: timeSplitMs?.database ?? null,
    cacheMs: timeSplitMs?.cache ?? null,
    externalMs: timeSplitMs?.external ?? null,
    queueMs: timeSplitMs?.queue ?? null,
    status2xx: inClass(2),
    status3xx: inClass(3),
    status4xx: inClass(4),
    status5xx: inClass(5),
    completenessRatio,
  };
}
