import type { RecentAction, RecentCall, RecentReport, RecentTrace } from "@apm-daemon/protocol";
import { START_MS, TRACE_ID } from "./sample-trace.ts";

export function sampleAction(changes: Partial<RecentAction> = {}): RecentAction {
  return {
    app: "shop",
    action: "POST /checkout",
    kind: "web",
    requests: 1_200,
    errors: 12,
    apdex: 0.91,
    totalTimeMs: 90_000,
    share: 0.75,
    avgMs: 75,
    p95Ms: 410,
    maxMs: 2_345,
    databaseMs: 45_000,
    cacheMs: 0,
    externalMs: 9_000,
    ...changes,
  };
}

export function sampleCall(changes: Partial<RecentCall> = {}): RecentCall {
  return {
    app: "shop",
    category: "database",
    system: "postgresql",
    target: "db-1:5432",
    operation: "SELECT orders",
    statement: "0011223344556677",
    text: "SELECT id\n  FROM orders WHERE customer = ?",
    calls: 2_400,
    errors: 0,
    totalTimeMs: 45_000,
    share: 0.375,
    avgMs: 18.75,
    p95Ms: 60,
    maxMs: 700,
    ...changes,
  };
}

export function sampleRecentTrace(changes: Partial<RecentTrace> = {}): RecentTrace {
  return {
    traceId: TRACE_ID,
    app: "shop",
    action: "POST /checkout",
    kind: "web",
    startUnixMs: START_MS,
    durationMs: 2_345,
    status: 500,
    error: true,
    reason: "error",
    ...changes,
  };
}

/** Ten minutes of one app; `more` replaces top-level fields. */
export function sampleRecent(more: Partial<RecentReport> = {}): RecentReport {
  return {
    host: "web-1",
    minutes: 10,
    fromUnixMs: START_MS - 600_000,
    sinceUnixMs: START_MS - 600_000,
    toUnixMs: START_MS,
    requests: 2_000,
    errors: 12,
    totalTimeMs: 120_000,
    actions: [sampleAction(), sampleAction({ action: "GET /", share: 0.25, errors: 0 })],
    calls: [sampleCall()],
    slowStatements: [
      {
        endUnixMs: START_MS,
        app: "shop",
        action: "POST /checkout",
        system: "postgresql",
        target: "db-1:5432",
        operation: "SELECT orders",
        statement: "0011223344556677",
        text: "",
        durationMs: 700,
        error: false,
        traceId: TRACE_ID,
        caller: "at findOrders (/srv/shop/orders.js:7:3)",
      },
    ],
    traces: [sampleRecentTrace()],
    leftOut: { actions: 0, calls: 0, slowStatements: 0, traces: 0, minutes: 0 },
    ...more,
  };
}
