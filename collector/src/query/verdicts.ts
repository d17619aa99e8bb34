import type { Verdict, VerdictCause } from "@apm-daemon/protocol";
import type { JudgedTrace, Store } from "../store/store.ts";
import { apdexThreshold, requireApp } from "./apps.ts";
import { answeredRange, type QueryRange } from "./time-range.ts";

/** Slow traces of one app that are looked at, the newest ones. */
const MAX_TRACES = 1_000;
const CONFIDENCES = ["low", "medium", "high"] as const;

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
  const [traces, apdexTMs] = await Promise.all([
    store.traces.judged({ range, app }, MAX_TRACES),
    apdexThreshold(store, app),
  ]);
  const judged = summed(app, traces);
  return { ...answeredRange(range), ...judged, thresholdMs: apdexTMs ?? 0 };
}

/** The same of all apps that had slow traces, most first. */
export async function verdicts(store: Store, range: QueryRange): Promise<VerdictsAnswer> {
  const byApp = grouped(await store.traces.judged({ range }, MAX_TRACES), ({ app }) => app);
  const apps = [...byApp].map(([app, traces]) => summed(app, traces));
  return { ...answeredRange(range), apps: apps.sort((a, b) => b.slow - a.slow) };
}

function summed(app: string, traces: readonly JudgedTrace[]): AppVerdicts {
  const groups = grouped(traces, ({ verdict }) => {
    const [cause] = verdict.causes;
    const { part, target } = verdict.time;
    return JSON.stringify(cause ? [cause.kind, cause.target ?? ""] : ["", part, target]);
  });
  return {
    app,
    thresholdMs: traces[0]?.apdexTMs ?? 0,
    slow: traces.length,
    groups: [...groups.values()]
      .map(groupOf)
      .sort((a, b) => Number(a.kind === "") - Number(b.kind === "") || b.traces - a.traces),
  };
}

function grouped(traces: readonly JudgedTrace[], keyOf: (trace: JudgedTrace) => string) {
  const groups = new Map<string, JudgedTrace[]>();
  for (const trace of traces) {
    const group = groups.get(keyOf(trace));
    if (group) group.push(trace);
    else groups.set(keyOf(trace), [trace]);
  }
  return groups;
}

function groupOf(traces: readonly JudgedTrace[]): VerdictGroup {
  const [clearest] = [...traces].sort(
    (a, b) =>
      CONFIDENCES.indexOf(b.verdict.confidence) - CONFIDENCES.indexOf(a.verdict.confidence) ||
      shareOf(b) - shareOf(a) ||
      b.durationUs - a.durationUs,
  );
  const { verdict, traceId, rootSpanId, action, host, startUnixMs, durationUs } = clearest as JudgedTrace;
  const [cause] = verdict.causes;
  const sure = (confidence: Verdict["confidence"]): number =>
    traces.filter((trace) => trace.verdict.confidence === confidence).length;
  return {
    kind: cause?.kind ?? "",
    target: cause?.target ?? "",
    time: cause ? null : verdict.time,
    traces: traces.length,
    confidence: { high: sure("high"), medium: sure("medium"), low: sure("low") },
    example: { traceId, rootSpanId, action, host, startUnixMs, durationMs: durationUs / 1000, verdict },
  };
}

function shareOf({ verdict }: JudgedTrace): number {
  return verdict.causes[0]?.share ?? 0;
}
