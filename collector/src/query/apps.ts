import type { ActionKind } from "@apm-daemon/protocol";
import type { Store } from "../store/store.ts";
import { type Completeness, completenessOf } from "./completeness.ts";
import { NotFound } from "./not-found.ts";
import { type RequestStatistics, requestStatistics } from "./request-statistics.ts";
import { answeredRange, minutesUpToNow, type QueryRange, stepsOf } from "./time-range.ts";

const DAY_SEC = 86_400;
const SPARKLINE_POINTS = 60;

export interface AppAnswer extends RequestStatistics {
  app: string;
  hosts: string[];
  lastSeenUnixMs: number;
  sparkline: { t0: number; stepMs: number; requests: number[] };
}

export interface AppsAnswer {
  from: number;
  to: number;
  apps: AppAnswer[];
}

/** All apps seen in the range or in the last day, with the statistics of the range. */
export async function apps(
  store: Store,
  range: QueryRange,
  kind: ActionKind | undefined,
): Promise<AppsAnswer> {
  const steps = stepsOf(range, store.resolutionSec(range), 0, SPARKLINE_POINTS);
  const lastDay = { fromSec: Math.max(0, Math.floor(range.nowMs / 1000) - DAY_SEC), toSec: range.toSec };
  const seenRange = { fromSec: Math.min(range.fromSec, lastDay.fromSec), toSec: range.toSec };
  const [seen, totals, perStep, thresholds] = await Promise.all([
    store.apps.seen(seenRange),
    store.requests.totals({ range, kind }, { by: ["app"], withHistograms: true }),
    store.requests.totals({ range, kind }, { by: ["app"], stepSec: steps.stepSec, withHistograms: false }),
    store.apps.apdexThresholds(),
  ]);
  const sparklines = new Map(seen.map(({ app }) => [app, Array.from({ length: steps.count }, () => 0)]));
  for (const { app, stepStartSec, requests } of perStep) {
    const sparkline = sparklines.get(app);
    if (sparkline) sparkline[(stepStartSec - steps.firstSec) / steps.stepSec] = requests;
  }
  return {
    ...answeredRange(range),
    apps: seen.map(({ app, hosts, lastSeenUnixMs }) => ({
      app,
      ...requestStatistics(
        totals.find((row) => row.app === app),
        thresholds.get(app) ?? null,
        minutesUpToNow(range),
      ),
      hosts,
      lastSeenUnixMs,
      sparkline: {
        t0: steps.firstSec * 1000,
        stepMs: steps.stepSec * 1000,
        requests: sparklines.get(app) ?? [],
      },
    })),
  };
}

export interface SummaryAnswer extends RequestStatistics {
  app: string;
  from: number;
  to: number;
  hosts: string[];
  completeness: Completeness;
}

export async function appSummary(
  store: Store,
  app: string,
  range: QueryRange,
  kind: ActionKind | undefined,
): Promise<SummaryAnswer> {
  await requireApp(store, app);
  const [[sums], apdexTMs, seen, completeness] = await Promise.all([
    store.requests.totals({ range, app, kind }, { by: [], withHistograms: true }),
    apdexThreshold(store, app),
    store.apps.seen(range, app),
    completenessOf(store, app, range),
  ]);
  return {
    app,
    ...answeredRange(range),
    ...requestStatistics(sums, apdexTMs, minutesUpToNow(range)),
    hosts: seen[0]?.hosts ?? [],
    completeness,
  };
}

/** Throws NotFound for an app that nothing is stored of. */
export async function requireApp(store: Store, app: string): Promise<void> {
  if (!(await store.apps.exists(app))) throw new NotFound(`there is no app ${JSON.stringify(app)}`);
}

/** The newest T of the app in ms, null when it never said. */
export async function apdexThreshold(store: Store, app: string): Promise<number | null> {
  return (await store.apps.apdexThresholds()).get(app) ?? null;
}
