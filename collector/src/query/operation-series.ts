import { mergeHistograms, type OperationCategory } from "@apm-daemon/protocol";
import type { OperationCaller, OperationGroup, OperationStep, Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { groupedBy } from "./grouped-by.ts";
import { type DurationStatistics, durationStatistics, share } from "./request-statistics.ts";
import { answeredRange, minutesUpToNow, type QueryRange, stepsOf } from "./time-range.ts";

const MAX_CALLERS = 20;

export interface CallStatistics {
  calls: number;
  errors: number;
  totalTimeMs: number;
  callsPerMinute: number;
  durationMs: DurationStatistics | null;
  /** Counts are 0 where the app reported without calls, and null where it did not report. */
  cols: Record<"calls" | "errors" | "totalTimeMs" | "avgMs" | "p95Ms", (number | null)[]>;
}

export interface OperationGroupAnswer extends CallStatistics {
  system: string;
  target: string;
  operation: string;
  statement: string;
  statementText: string | null;
  share: number | null;
  actions: { action: string; calls: number; totalTimeMs: number }[];
}

export interface OperationSeriesAnswer {
  app: string;
  from: number;
  to: number;
  t0: number;
  stepMs: number;
  /** Of all groups, also of those that are left out. */
  all: CallStatistics;
  groups: OperationGroupAnswer[];
  /** Groups that are not in the answer. */
  leftOut: number;
}

export interface OperationSeriesOptions {
  action?: string | undefined;
  category: OperationCategory;
  system?: string | undefined;
  target?: string | undefined;
  operation?: string | undefined;
  statement?: string | undefined;
  by: "store" | "operation";
  limit: number;
  stepMs?: number | undefined;
}

/** Calls of one category over time, by where they went to or by operation, most total time first. */
export async function operationSeries(
  store: Store,
  app: string,
  range: QueryRange,
  options: OperationSeriesOptions,
): Promise<OperationSeriesAnswer> {
  await requireApp(store, app);
  const { by, limit, stepMs = 0, ...keys } = options;
  const steps = stepsOf(range, store.resolutionSec(range), stepMs / 1000);
  const filter = { range, app, ...keys };
  const { stepSec } = steps;
  const { operations } = store;
  const [all, { groups, ofGroups }, texts, reported] = await Promise.all([
    operations.steps(filter, stepSec),
    operations.callers({ ...filter, category: undefined }).then(async (callers) => {
      const groups = groupsOf(
        callers.filter(({ category }) => category === keys.category),
        by,
      );
      // All calls are those of the only group there is.
      if (groups.length === 1) return { groups, ofGroups: null };
      return { groups, ofGroups: await operations.groupSteps(filter, groups.slice(0, limit), stepSec) };
    }),
    by === "operation" ? operations.statementTexts(app) : [],
    store.apps.reportedSteps(app, range, stepSec),
  ]);
  const minutes = minutesUpToNow(range);
  const columns = columnsOf(steps, new Set(reported));
  const rowsByGroup = ofGroups === null ? new Map([[0, all]]) : groupedBy(ofGroups, ({ index }) => index);
  const textByFingerprint = new Map(texts.map(({ fingerprint, text }) => [fingerprint, text]));
  const total = addedUp(all);
  return {
    app,
    ...answeredRange(range),
    t0: steps.firstSec * 1000,
    stepMs: stepSec * 1000,
    all: { ...statisticsOf(total, minutes), cols: columns(all) },
    groups: groups.slice(0, limit).map(({ system, target, what, callers }, index) => {
      const rows = rowsByGroup.get(index) ?? [];
      const row = addedUp(rows);
      const { operation, statement } = what ?? { operation: "", statement: "" };
      return {
        system,
        target,
        operation,
        statement,
        statementText: textByFingerprint.get(statement) ?? null,
        ...statisticsOf(row, minutes),
        // A batch may come between the two.
        share: share(Math.min(row.sumUs, total.sumUs), total.sumUs),
        actions: actionsOf(callers),
        cols: columns(rows),
      };
    }),
    leftOut: Math.max(0, groups.length - limit),
  };
}

/** Groups with their callers, most total time first. */
function groupsOf(
  callers: readonly OperationCaller[],
  by: "store" | "operation",
): (OperationGroup & { callers: OperationCaller[] })[] {
  const groups = [...groupedBy(callers, (caller) => keyOf(caller, by))].map(([key, ofGroup]) => ({
    key,
    callers: ofGroup,
    sumUs: ofGroup.reduce((sum, { sumUs }) => sum + sumUs, 0),
  }));
  return groups
    .sort((a, b) => b.sumUs - a.sumUs || (a.key < b.key ? -1 : 1))
    .flatMap(({ callers: ofGroup }) => {
      const [first] = ofGroup;
      if (first === undefined) return [];
      const { system, target, operation, statement } = first;
      return {
        system,
        target,
        ...(by === "operation" && { what: { operation, statement } }),
        callers: ofGroup,
      };
    });
}

type Sums = Pick<OperationStep, "calls" | "errors" | "sumUs" | "maxUs" | "histogram">;

/** All steps of one group together. */
function addedUp(rows: readonly Sums[]): Sums {
  const sums = { calls: 0, errors: 0, sumUs: 0, maxUs: 0 };
  for (const { calls, errors, sumUs, maxUs } of rows) {
    sums.calls += calls;
    sums.errors += errors;
    sums.sumUs += sumUs;
    sums.maxUs = Math.max(sums.maxUs, maxUs);
  }
  return { ...sums, histogram: mergeHistograms(rows.map(({ histogram }) => histogram)) };
}

function statisticsOf(
  { calls, errors, sumUs, maxUs, histogram }: Sums,
  minutes: number,
): Omit<CallStatistics, "cols"> {
  return {
    calls,
    errors,
    totalTimeMs: sumUs / 1000,
    callsPerMinute: minutes === 0 ? 0 : calls / minutes,
    durationMs: durationStatistics(calls, sumUs, maxUs, histogram),
  };
}

/** Lays a group's rows over the steps. */
function columnsOf(
  { firstSec, stepSec, count }: { firstSec: number; stepSec: number; count: number },
  reported: ReadonlySet<number>,
): (rows: readonly (Sums & { stepStartSec: number })[]) => CallStatistics["cols"] {
  return (rows) => {
    const cols: CallStatistics["cols"] = { calls: [], errors: [], totalTimeMs: [], avgMs: [], p95Ms: [] };
    const byStart = new Map(rows.map((row) => [row.stepStartSec, row]));
    for (let i = 0; i < count; i++) {
      const startSec = firstSec + i * stepSec;
      const row = byStart.get(startSec);
      const quiet = reported.has(startSec) ? 0 : null;
      const duration = row ? durationStatistics(row.calls, row.sumUs, row.maxUs, row.histogram) : null;
      cols.calls.push(row?.calls ?? quiet);
      cols.errors.push(row?.errors ?? quiet);
      cols.totalTimeMs.push(row ? row.sumUs / 1000 : quiet);
      cols.avgMs.push(duration?.avg ?? null);
      cols.p95Ms.push(duration?.p95 ?? null);
    }
    return cols;
  };
}

/** Callers of a group's operations, added up by action, most total time first. */
function actionsOf(callers: readonly OperationCaller[]): OperationGroupAnswer["actions"] {
  const sums = new Map<string, { action: string; calls: number; totalTimeMs: number }>();
  for (const { action, calls, sumUs } of callers) {
    const sum = sums.get(action) ?? { action, calls: 0, totalTimeMs: 0 };
    sum.calls += calls;
    sum.totalTimeMs += sumUs / 1000;
    sums.set(action, sum);
  }
  return [...sums.values()]
    .sort((a, b) => b.totalTimeMs - a.totalTimeMs || (a.action < b.action ? -1 : 1))
    .slice(0, MAX_CALLERS);
}

function keyOf(
  row: Pick<OperationCaller, "system" | "target" | "operation" | "statement">,
  by: "store" | "operation",
): string {
  const where = [row.system, row.target];
  return JSON.stringify(by === "store" ? where : [...where, row.operation, row.statement]);
}
