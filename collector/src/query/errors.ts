import type { ErrorGroup, Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { groupedBy } from "./grouped-by.ts";
import { answeredRange, keptFrom, keptRange, type QueryRange, type Steps, stepsOf } from "./time-range.ts";

const MAX_GROUPS = 200;
const SPARKLINE_POINTS = 60;

export interface ErrorGroupAnswer extends Omit<ErrorGroup, "firstSec" | "lastSec" | "traceId"> {
  firstUnixMs: number;
  lastUnixMs: number;
  /** Of the group's first error in all that is stored. */
  firstEverUnixMs: number;
  /** Whether that lies in the range; null where errors of before the range are not kept. */
  isNew: boolean | null;
  traceId: string | null;
}

export interface ErrorsAnswer {
  app: string;
  from: number;
  to: number;
  /** Null: all of the range is kept; else nothing is known of before. */
  keptFrom: number | null;
  errors: (ErrorGroupAnswer & { sparkline: { t0: number; stepMs: number; counts: (number | null)[] } })[];
}

/** Error groups by count, descending, each with its newest sample. */
export async function errors(store: Store, app: string, range: QueryRange): Promise<ErrorsAnswer> {
  await requireApp(store, app);
  const steps = stepsOf(range, store.resolutionSec(range), 0, SPARKLINE_POINTS);
  const keptFromSec = store.keptFromSec("records");
  const kept = keptRange(range, keptFromSec);
  const [groups, firsts, counts] = await Promise.all([
    store.errors.groups(app, kept, MAX_GROUPS),
    store.errors.firstSeen(app),
    store.errors.counts(app, kept, { by: "group", stepSec: steps.stepSec }),
  ]);
  const firstOf = new Map(firsts.map(({ group, firstSec }) => [group, firstSec]));
  const countsOf = groupedBy(counts, ({ key }) => key);
  return {
    app,
    ...answeredRange(range),
    keptFrom: keptFrom(range, keptFromSec),
    errors: groups.map((group) => ({
      ...errorGroupAnswer(group, firstOf.get(group.group) ?? group.firstSec, range, keptFromSec),
      sparkline: {
        t0: steps.firstSec * 1000,
        stepMs: steps.stepSec * 1000,
        counts: countsPerStep(countsOf.get(group.group) ?? [], steps, keptFromSec),
      },
    })),
  };
}

export function errorGroupAnswer(
  { firstSec, lastSec, traceId, ...group }: ErrorGroup,
  firstEverSec: number,
  range: QueryRange,
  keptFromSec: number,
): ErrorGroupAnswer {
  return {
    ...group,
    firstUnixMs: firstSec * 1000,
    lastUnixMs: lastSec * 1000,
    firstEverUnixMs: firstEverSec * 1000,
    isNew: range.fromSec <= keptFromSec ? null : firstEverSec >= range.fromSec,
    traceId: traceId === "" ? null : traceId,
  };
}

/** 0 in steps without errors, null in those that begin before errors are kept. */
export function countsPerStep(
  rows: readonly { stepStartSec: number; count: number }[],
  { firstSec, stepSec, count }: Steps,
  keptFromSec: number,
): (number | null)[] {
  const counts = Array.from({ length: count }, (_, i): number | null =>
    firstSec + i * stepSec < keptFromSec ? null : 0,
  );
  for (const row of rows) {
    const i = (row.stepStartSec - firstSec) / stepSec;
    const before = counts[i] ?? null;
    if (before !== null) counts[i] = before + row.count;
  }
  return counts;
}
