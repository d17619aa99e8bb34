import type { Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { answeredRange, type QueryRange, stepsOf } from "./time-range.ts";

const MAX_NAMES = 200;

export interface CountersAnswer {
  app: string;
  from: number;
  to: number;
  t0: number;
  stepMs: number;
  counters: {
    name: string;
    total: number;
    /** One for each step; null where the app did not report. */
    values: (number | null)[];
  }[];
}

/** What the app counts itself, by name. A step in which a counter did not move is 0 where the app reported. */
export async function counters(
  store: Store,
  app: string,
  range: QueryRange,
  options: { stepMs?: number | undefined },
): Promise<CountersAnswer> {
  await requireApp(store, app);
  const { stepSec, firstSec, count } = stepsOf(
    range,
    store.resolutionSec(range),
    (options.stepMs ?? 0) / 1000,
  );
  const [sums, reported] = await Promise.all([
    store.counters.sums(app, range, stepSec, MAX_NAMES),
    store.apps.reportedSteps(app, range, stepSec),
  ]);
  const quiet = Array.from({ length: count }, (): number | null => null);
  const indexOf = (stepStartSec: number): number => (stepStartSec - firstSec) / stepSec;
  for (const step of reported) if (indexOf(step) in quiet) quiet[indexOf(step)] = 0;
  const byName = new Map<string, (number | null)[]>();
  for (const { name, stepStartSec, amount } of sums) {
    const values = byName.get(name) ?? [...quiet];
    values[indexOf(stepStartSec)] = amount;
    byName.set(name, values);
  }
  return {
    app,
    ...answeredRange(range),
    t0: firstSec * 1000,
    stepMs: stepSec * 1000,
    counters: [...byName].map(([name, values]) => ({
      name,
      total: values.reduce<number>((sum, value) => sum + (value ?? 0), 0),
      values,
    })),
  };
}
