import type { Store } from "../store/store.ts";
import { type Completeness, completenessOf } from "./completeness.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

export interface AppsCompletenessAnswer {
  from: number;
  to: number;
  /** Fewest of their spans first. */
  apps: { app: string; completeness: Completeness }[];
  /** Apps that were left out because there are so many. */
  more: number;
}

const MAX_APPS = 100;

/** What became of the spans of each app that was there in the range. */
export async function appsCompleteness(store: Store, range: QueryRange): Promise<AppsCompletenessAnswer> {
  const seen = await store.apps.seen(range);
  const apps: AppsCompletenessAnswer["apps"] = [];
  for (const { app } of seen.slice(0, MAX_APPS))
    apps.push({ app, completeness: await completenessOf(store, app, range) });
  apps.sort((a, b) => (a.completeness.ratio ?? 1) - (b.completeness.ratio ?? 1));
  return { ...answeredRange(range), apps, more: Math.max(0, seen.length - MAX_APPS) };
}
