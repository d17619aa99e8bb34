import { bucketOf } from "@apm-daemon/protocol";
import type { Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { share } from "./request-statistics.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

export interface RankAnswer {
  app: string;
  action: string;
  from: number;
  to: number;
  durationMs: number;
  requests: number;
  /** By histogram buckets, which are 2.2 % wide: `alike` are those of the duration's own bucket. */
  faster: number;
  alike: number;
  slower: number;
  fasterShare: number | null;
}

/** Where a duration stands among the requests of an action. */
export async function rank(
  store: Store,
  app: string,
  range: QueryRange,
  { action, durationMs }: { action: string; durationMs: number },
): Promise<RankAnswer> {
  await requireApp(store, app);
  const [sums] = await store.requests.totals({ range, app, action }, { by: [], withHistograms: true });
  const own = bucketOf(durationMs * 1000);
  const places = { faster: 0, alike: 0, slower: 0 };
  for (const [i, bucket] of (sums?.histogram.buckets ?? []).entries())
    places[bucket < own ? "faster" : bucket === own ? "alike" : "slower"] += sums?.histogram.counts[i] ?? 0;
  const requests = sums?.requests ?? 0;
  return {
    app,
    action,
    ...answeredRange(range),
    durationMs,
    requests,
    ...places,
    fasterShare: share(places.faster, requests),
  };
}
