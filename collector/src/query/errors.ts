import type { Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

const MAX_GROUPS = 200;

export interface ErrorsAnswer {
  app: string;
  from: number;
  to: number;
  errors: {
    group: string;
    action: string;
    type: string;
    message: string;
    stack: string;
    count: number;
    firstUnixMs: number;
    lastUnixMs: number;
    traceId: string | null;
  }[];
}

/** Error groups by count, descending, each with its newest sample. */
export async function errors(store: Store, app: string, range: QueryRange): Promise<ErrorsAnswer> {
  await requireApp(store, app);
  const groups = await store.errors.groups(app, range, MAX_GROUPS);
  return {
    app,
    ...answeredRange(range),
    errors: groups.map(({ firstSec, lastSec, traceId, ...group }) => ({
      ...group,
      firstUnixMs: firstSec * 1000,
      lastUnixMs: lastSec * 1000,
      traceId: traceId === "" ? null : traceId,
    })),
  };
}
