import type { Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { type Completeness, completeness } from "./completeness.ts";
import { answeredRange, type QueryRange, WINDOW_SEC } from "./time-range.ts";

/** Where and why spans of an app are missing. */
export interface AppLedgerAnswer {
  app: string;
  from: number;
  to: number;
  completeness: Completeness;
  hosts: ({ host: string } & Completeness)[];
  /** Most spans first; a time is the window's, from the first one's beginning to the last one's end. */
  losses: { host: string; reason: string; spans: number; firstUnixMs: number; lastUnixMs: number }[];
}

const DROPPED = "dropped:";

export async function appLedger(store: Store, app: string, range: QueryRange): Promise<AppLedgerAnswer> {
  await requireApp(store, app);
  const rows = await store.ledger.byHost(app, range);
  const whole = new Map<string, number>();
  for (const { outcome, spans } of rows) whole.set(outcome, (whole.get(outcome) ?? 0) + spans);
  const hosts = [...new Set(rows.map(({ host }) => host))].sort();
  return {
    app,
    ...answeredRange(range),
    completeness: completeness([...whole].map(([outcome, spans]) => ({ outcome, spans }))),
    hosts: hosts.map((host) => ({ host, ...completeness(rows.filter((row) => row.host === host)) })),
    losses: rows
      .filter(({ outcome, spans }) => outcome.startsWith(DROPPED) && spans > 0)
      .map(({ host, outcome, spans, firstSec, lastSec }) => ({
        host,
        reason: outcome.slice(DROPPED.length),
        spans,
        firstUnixMs: firstSec * 1000,
        lastUnixMs: (lastSec + WINDOW_SEC) * 1000,
      })),
  };
}
