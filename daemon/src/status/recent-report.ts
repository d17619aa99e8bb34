import {
  apdexScore,
  MAX_RECENT_ROWS,
  quantileUs,
  type RecentAction,
  type RecentCall,
  type RecentReport,
  type SparseHistogram,
} from "@apm-daemon/protocol";
import type { ActionSums, CallSums, HourRows } from "./hour-rows.ts";

interface RecentRows
  extends Pick<RecentReport, "host" | "minutes" | "fromUnixMs" | "sinceUnixMs" | "toUnixMs"> {
  /** Each key once, the most time-consuming first. */
  rows: HourRows;
  minutesLeftOut: number;
  /** A statement's text by its fingerprint. */
  textOf: (fingerprint: string) => string;
}

/** Averages, percentiles and shares are made here, of sums and merged histograms. */
export function recentReport({ rows, minutesLeftOut, textOf, ...range }: RecentRows): RecentReport {
  const totalUs = rows.actions.reduce((sum, { sumUs }) => sum + sumUs, 0);
  return {
    ...range,
    requests: rows.actions.reduce((sum, { requests }) => sum + requests, 0),
    errors: rows.actions.reduce((sum, { errors }) => sum + errors, 0),
    totalTimeMs: totalUs / 1_000,
    actions: rows.actions.slice(0, MAX_RECENT_ROWS).map((row) => recentAction(row, totalUs)),
    calls: rows.calls.slice(0, MAX_RECENT_ROWS).map((row) => recentCall(row, totalUs, textOf)),
    slowStatements: [...rows.slowStatements]
      .sort((a, b) => b.durationMs - a.durationMs)
      .slice(0, MAX_RECENT_ROWS)
      .map((row) => ({ ...row, text: textOf(row.statement) })),
    traces: [...rows.traces].sort((a, b) => b.startUnixMs - a.startUnixMs).slice(0, MAX_RECENT_ROWS),
    leftOut: { ...rows.leftOut, minutes: minutesLeftOut },
  };
}

function recentAction(row: ActionSums, totalUs: number): RecentAction {
  const { app, action, kind, requests, errors, satisfied, tolerating, frustrated } = row;
  return {
    app,
    action,
    kind,
    requests,
    errors,
    apdex: apdexScore(satisfied, tolerating, frustrated),
    totalTimeMs: row.sumUs / 1_000,
    share: totalUs === 0 ? 0 : row.sumUs / totalUs,
    ...times(row, requests),
    databaseMs: row.databaseUs / 1_000,
    cacheMs: row.cacheUs / 1_000,
    externalMs: row.externalUs / 1_000,
  };
}

function recentCall(row: CallSums, totalUs: number, textOf: RecentRows["textOf"]): RecentCall {
  const { app, category, system, target, operation, statement, calls, errors } = row;
  return {
    app,
    category,
    system,
    target,
    operation,
    statement,
    text: textOf(statement),
    calls,
    errors,
    totalTimeMs: row.sumUs / 1_000,
    share: totalUs === 0 ? null : row.sumUs / totalUs,
    ...times(row, calls),
  };
}

/** A bucket's middle may lie beyond the slowest. */
function times(
  { sumUs, maxUs, histogram }: { sumUs: number; maxUs: number; histogram: SparseHistogram },
  count: number,
): { avgMs: number; p95Ms: number; maxMs: number } {
  const p95Us = Math.min(quantileUs(histogram, 0.95) ?? maxUs, maxUs);
  return { avgMs: count === 0 ? 0 : sumUs / count / 1_000, p95Ms: p95Us / 1_000, maxMs: maxUs / 1_000 };
}
