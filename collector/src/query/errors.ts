import type { ErrorGroup, Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { groupedBy } from "./grouped-by.ts";
import { answeredRange, type QueryRange, type Steps, stepsOf } from "./time-range.ts";

const MAX_GROUPS = 200;
const SPARKLINE_POINTS = 60;

export interface ErrorGroupAnswer extends Omit<ErrorGroup, "firstSec" | "lastSec" | "traceId"> {
  firstUnixMs: number;
  lastUnixMs: number;
  /** Of the group's first error in all that is stored. */
  firstEverUnixMs: number;
  /** Whether that lies in the range. */
  isNew: boolean;
  traceId: string | null;
}

export interface ErrorsAnswer {
  app: string;
  from: number;
  to: number;
  errors: (ErrorGroupAnswer & { sparkline: { t0: number; stepMs: number; counts: number[] } })[];
}

/** Error groups by count, descending, each with its newest sample. */
export async function errors(store: Store, app: string, range: QueryRange): Promise<ErrorsAnswer> {
  await requireApp(store, app);
  const steps = stepsOf(range, store.resolutionSec(range), 0, SPARKLINE_POINTS);
  const [groups, firsts, counts] = await Promise.all([
    store.errors.groups(app, range, MAX_GROUPS),
    store.errors.firstSeen(app),
    store.errors.counts(app, range, { by: "group", stepSec: steps.stepSec }),
  ]);
  const firstOf = new Map(firsts.map(({ group, firstSec }) => [group, firstSec]));
  const countsOf = groupedBy(counts, ({ key }) => key);
  return {
    app,
    ...answeredRange(range),
    errors: groups.map((group) => ({
      ...errorGroupAnswer(group, firstOf.get(group.group) ?? group.firstSec, range),
      sparkline: {
        t0: steps.firstSec * 1000,
        stepMs: steps.stepSec * 1000,
        counts: countsPerStep(countsOf.get(group.group) ?? [], steps),
      },
    })),
  };
}

export function errorGroupAnswer(
  { firstSec, lastSec, traceId, ...group }: ErrorGroup,
  firstEverSec: number,
  range: QueryRange,
): ErrorGroupAnswer {
  return {
    ...group,
    firstUnixMs: firstSec * 1000,
    lastUnixMs: lastSec * 1000,
    firstEverUnixMs: firstEverSec * 1000,
    isNew: firstEverSec >= range.fromSec,
    traceId: traceId === "" ? null : traceId,
  };
}

/** 0 in steps without errors. */
export function countsPerStep(
  rows: readonly { stepStartSec: number; count: number }[],
  { firstSec, stepSec, count }: Steps,
): number[] {
  const counts = Array.from({ length: count }, () => 0);
  for (const row of rows) {
    const i = (row.stepStartSec - firstSec) / stepSec;
    if (i in counts) counts[i] = (counts[i] ?? 0) + row.count;
  }
  return counts;
}
