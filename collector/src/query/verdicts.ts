import type { Verdict, VerdictCause } from "@apm-daemon/protocol";
import type { JudgedTraces, Store } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

/** Slow traces of one app that are looked at, the newest ones. */
const MAX_TRACES = 1_000;

/** Slow kept traces with the same strongest cause, or, where nothing was unusual, with the same part that took the time. */
export interface VerdictGroup {
  /** A kind of cause; "" where nothing was unusual. */
  kind: VerdictCause["kind"] | "";
  /** The database, cache or service; "" for others. */
  target: string;
  /** Only where nothing was unusual. */
  time: Verdict["time"] | null;
  traces: number;
  /** How sure their verdicts are. */
  confidence: Record<Verdict["confidence"], number>;
  /** The clearest of them. */
  example: VerdictExample;
}

export interface VerdictExample {
  traceId: string;
  rootSpanId: string;
  action: string;
  host: string;
  startUnixMs: number;
  durationMs: number;
  verdict: Verdict;
}

export interface AppVerdicts {
  app: string;
  /** Apdex T: what took longer is slow. */
  thresholdMs: number;
  /** Slow kept traces with a verdict; at most 1,000, the newest. */
  slow: number;
  /** Most traces first; what has a cause before what has none. */
  groups: VerdictGroup[];
}

export type AppVerdictsAnswer = AppVerdicts & { from: number; to: number };

export interface VerdictsAnswer {
  from: number;
  to: number;
  apps: AppVerdicts[];
}

/** Why requests of an app were slow. */
export async function appVerdicts(store: Store, app: string, range: QueryRange): Promise<AppVerdictsAnswer> {
  await requireApp(store, app);
  const thresholds = await store.apps.apdexThresholds();
  const judged = await store.traces.judged({ range, app, thresholds }, MAX_TRACES);
  return { ...answeredRange(range), ...summed(app, judged, thresholds) };
}

/** The same of all apps that had slow traces, most first. */
export async function verdicts(store: Store, range: QueryRange): Promise<VerdictsAnswer> {
  const thresholds = await store.apps.apdexThresholds();
  const byApp = new Map<string, JudgedTraces[]>();
  for (const judged of await store.traces.judged({ range, thresholds }, MAX_TRACES))
    byApp.set(judged.app, [...(byApp.get(judged.app) ?? []), judged]);
  const apps = [...byApp].map(([app, judged]) => summed(app, judged, thresholds));
  return { ...answeredRange(range), apps: apps.sort((a, b) => b.slow - a.slow) };
}

function summed(
  app: string,
  judged: readonly JudgedTraces[],
  thresholds: ReadonlyMap<string, number>,
): AppVerdicts {
  return {
    app,
    thresholdMs: thresholds.get(app) ?? 0,
    slow: judged.reduce((sum, { traces }) => sum + traces, 0),
    groups: judged
      .map(groupOf)
      .sort((a, b) => Number(a.kind === "") - Number(b.kind === "") || b.traces - a.traces),
  };
}

function groupOf({ traces, high, medium, low, verdict, durationUs, ...trace }: JudgedTraces): VerdictGroup {
  const { traceId, rootSpanId, action, host, startUnixMs } = trace;
  const [cause] = verdict.causes;
  return {
    kind: cause?.kind ?? "",
    target: cause?.target ?? "",
    time: cause ? null : verdict.time,
    traces,
    confidence: { high, medium, low },
    example: { traceId, rootSpanId, action, host, startUnixMs, durationMs: durationUs / 1000, verdict },
  };
}
