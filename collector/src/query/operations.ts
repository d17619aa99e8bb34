import type { OperationCategory } from "@apm-daemon/protocol";
import type { OperationKey, Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { groupedBy } from "./grouped-by.ts";
import { type DurationStatistics, durationStatistics, share } from "./request-statistics.ts";
import { answeredRange, minutesUpToNow, type QueryRange } from "./time-range.ts";

const MAX_OPERATIONS = 200;
const MAX_CALLERS = 20;

export interface OperationAnswer extends OperationKey {
  /** Null when the statement's text did not arrive or is too old. */
  statementText: string | null;
  calls: number;
  errors: number;
  totalTimeMs: number;
  durationMs: DurationStatistics | null;
  callsPerMinute: number;
  share: number | null;
  actions: { action: string; calls: number; totalTimeMs: number }[];
}

export interface OperationsAnswer {
  app: string;
  from: number;
  to: number;
  operations: OperationAnswer[];
}

/** Outgoing calls of an app with their callers, by total time, descending. */
export async function operations(
  store: Store,
  app: string,
  range: QueryRange,
  options: { action: string | undefined; category: OperationCategory | undefined },
): Promise<OperationsAnswer> {
  await requireApp(store, app);
  const { action, category } = options;
  const filter = { range, app, action };
  // Of all categories: pages ask for several, which is then asked once.
  const [ofAll, callersOfAll, texts] = await Promise.all([
    store.operations.totals(filter, MAX_OPERATIONS),
    store.operations.callers(filter),
    store.operations.statementTexts(app),
  ]);
  const isWanted = (row: OperationKey): boolean => category === undefined || row.category === category;
  const totals = ofAll.filter(isWanted).slice(0, MAX_OPERATIONS);
  const callers = callersOfAll.filter(isWanted);
  const callersByKey = groupedBy(callers, keyOf);
  const categoryUs = new Map<string, number>();
  for (const { category, sumUs } of callers)
    categoryUs.set(category, (categoryUs.get(category) ?? 0) + sumUs);
  const textByFingerprint = new Map(texts.map(({ fingerprint, text }) => [fingerprint, text]));
  const minutes = minutesUpToNow(range);
  return {
    app,
    ...answeredRange(range),
    operations: totals.map((row) => ({
      category: row.category,
      system: row.system,
      target: row.target,
      operation: row.operation,
      statement: row.statement,
      statementText: textByFingerprint.get(row.statement) ?? null,
      calls: row.calls,
      errors: row.errors,
      totalTimeMs: row.sumUs / 1000,
      durationMs: durationStatistics(row.calls, row.sumUs, row.maxUs, row.histogram),
      callsPerMinute: minutes === 0 ? 0 : row.calls / minutes,
      share: share(row.sumUs, categoryUs.get(row.category) ?? 0),
      actions: (callersByKey.get(keyOf(row)) ?? [])
        .slice(0, MAX_CALLERS)
        .map(({ action, calls, sumUs }) => ({ action, calls, totalTimeMs: sumUs / 1000 })),
    })),
  };
}

function keyOf({ category, system, target, operation, statement }: OperationKey): string {
  return JSON.stringify([category, system, target, operation, statement]);
}
