import type { Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { countsPerStep } from "./errors.ts";
import { groupedBy } from "./grouped-by.ts";
import { answeredRange, keptFrom, keptRange, type QueryRange, stepsOf } from "./time-range.ts";

/** More layers than this cannot be told apart in a chart. */
const MAX_TYPES = 7;

export interface ErrorSeriesAnswer {
  app: string;
  from: number;
  to: number;
  t0: number;
  stepMs: number;
  /** Null: all of the range is kept; else nothing is known of before. */
  keptFrom: number | null;
  /** Null when nothing of the range is kept. */
  count: number | null;
  types: { type: string; count: number; values: (number | null)[] }[];
  /** Types that are not listed, added up; null when there are none. */
  others: { types: number; count: number; values: (number | null)[] } | null;
}

/** Errors over time by their type, most first. 0 where the app reported without errors, null where it did not report or errors are not kept. */
export async function errorSeries(
  store: Store,
  app: string,
  range: QueryRange,
  options: { stepMs?: number | undefined },
): Promise<ErrorSeriesAnswer> {
  await requireApp(store, app);
  const steps = stepsOf(range, store.resolutionSec(range), (options.stepMs ?? 0) / 1000);
  const keptFromSec = store.keptFromSec("records");
  const kept = keptRange(range, keptFromSec);
  const [rows, reported] = await Promise.all([
    store.errors.counts(app, kept, { by: "type", stepSec: steps.stepSec }),
    store.apps.reportedSteps(app, range, steps.stepSec),
  ]);
  const isReported = new Set(reported);
  const valuesOf = (some: typeof rows): (number | null)[] =>
    countsPerStep(some, steps, keptFromSec).map((count, i) =>
      count === 0 && !isReported.has(steps.firstSec + i * steps.stepSec) ? null : count,
    );
  const types = [...groupedBy(rows, ({ key }) => key)]
    .map(([type, ofType]) => ({ type, rows: ofType, count: sumOf(ofType) }))
    .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1));
  const others = types.slice(MAX_TYPES);
  const otherRows = others.flatMap((type) => type.rows);
  return {
    app,
    ...answeredRange(range),
    t0: steps.firstSec * 1000,
    stepMs: steps.stepSec * 1000,
    keptFrom: keptFrom(range, keptFromSec),
    count: kept.fromSec === kept.toSec ? null : sumOf(rows),
    types: types
      .slice(0, MAX_TYPES)
      .map((type) => ({ type: type.type, count: type.count, values: valuesOf(type.rows) })),
    others:
      others.length === 0
        ? null
        : { types: others.length, count: sumOf(otherRows), values: valuesOf(otherRows) },
  };
}

function sumOf(rows: readonly { count: number }[]): number {
  return rows.reduce((sum, { count }) => sum + count, 0);
}
