import type { ActionKind } from "@apm-daemon/protocol";
import type { Store } from "../store/store.ts";
import { apdexThreshold, requireApp } from "./apps.ts";
import { dissatisfaction, type RequestStatistics, requestStatistics, share } from "./request-statistics.ts";
import { answeredRange, minutesUpToNow, type QueryRange } from "./time-range.ts";

export interface ActionAnswer extends RequestStatistics {
  action: string;
  kind: string;
  wallClockShare: number | null;
  dissatisfactionShare: number | null;
}

export interface ActionsAnswer {
  app: string;
  from: number;
  to: number;
  totalTimeMs: number;
  actions: ActionAnswer[];
}

export const ACTION_SORTS = ["time", "slowest", "dissatisfaction", "throughput", "errors"] as const;
export type ActionSort = (typeof ACTION_SORTS)[number];

const SORT_KEYS: Readonly<Record<ActionSort, (action: ActionAnswer) => number>> = {
  time: (action) => action.totalTimeMs,
  slowest: (action) => action.responseTimeMs?.avg ?? 0,
  dissatisfaction: dissatisfaction,
  throughput: (action) => action.requests,
  errors: (action) => action.errors,
};

/** All actions of an app, most first. */
export async function actions(
  store: Store,
  app: string,
  range: QueryRange,
  options: { kind: ActionKind | undefined; sort: ActionSort },
): Promise<ActionsAnswer> {
  await requireApp(store, app);
  const [totals, apdexTMs] = await Promise.all([
    store.requests.totals(
      { range, app, kind: options.kind },
      { by: ["action", "kind"], withHistograms: true },
    ),
    apdexThreshold(store, app),
  ]);
  const totalUs = totals.reduce((sum, row) => sum + row.sumUs, 0);
  const dissatisfied = totals.reduce((sum, row) => sum + dissatisfaction(row), 0);
  const minutes = minutesUpToNow(range);
  const sortKey = SORT_KEYS[options.sort];
  return {
    app,
    ...answeredRange(range),
    totalTimeMs: totalUs / 1000,
    actions: totals
      .map((row) => ({
        action: row.action,
        kind: row.kind,
        ...requestStatistics(row, apdexTMs, minutes),
        wallClockShare: share(row.sumUs, totalUs),
        dissatisfactionShare: share(dissatisfaction(row), dissatisfied),
      }))
      .sort(
        (a, b) => sortKey(b) - sortKey(a) || b.totalTimeMs - a.totalTimeMs || (a.action < b.action ? -1 : 1),
      ),
  };
}
