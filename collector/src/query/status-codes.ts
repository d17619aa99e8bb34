import type { Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { share } from "./request-statistics.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

export interface StatusCodesAnswer {
  app: string;
  from: number;
  to: number;
  requests: number;
  statusCodes: { code: number; count: number; share: number | null }[];
}

/** Web requests by status code, ascending; code 0 ended without one. */
export async function statusCodes(
  store: Store,
  app: string,
  range: QueryRange,
  action: string | undefined,
): Promise<StatusCodesAnswer> {
  await requireApp(store, app);
  const rows = await store.requests.totals(
    { range, app, action, kind: "web" },
    { by: ["status"], withHistograms: false },
  );
  const requests = rows.reduce((sum, row) => sum + row.requests, 0);
  return {
    app,
    ...answeredRange(range),
    requests,
    statusCodes: rows
      .map((row) => ({ code: row.status, count: row.requests, share: share(row.requests, requests) }))
      .sort((a, b) => a.code - b.code),
  };
}
