import { type SpanAnswer, spansOfPart } from "@apm-daemon/protocol";
import type { DescribedTrace, MetricValues } from "../store/store.ts";

/** A part of a request is what it mostly waited for from this share of its time on. */
const DOMINANT_RATIO = 0.5;

/** What counts as much of each measure: values above are told apart from those below. */
export const BANDS: Readonly<Record<string, number>> = {
  cpuStealRatio: 0.05,
  psiCpuSomeRatio: 0.2,
  psiMemorySomeRatio: 0.07,
  psiIoSomeRatio: 0.2,
  gcPauseMs: 70,
  eventLoopDelayP99Ms: 100,
};

/** What can be told of a kept trace, for comparing it with others; null where it is not known, as of seconds that are not kept. */
export function traceAttributes(trace: DescribedTrace, around: MetricValues): Map<string, string[] | null> {
  const { host, appVersion, verdict } = trace;
  const attributes = new Map<string, string[] | null>([
    ["host", [host]],
    ["status", [String(trace.status)]],
    ["appVersion", appVersion === null ? null : [appVersion]],
  ]);
  const [cause] = verdict?.causes ?? [];
  if (cause) attributes.set("cause", [cause.kind]);
  for (const [metric, least] of Object.entries(BANDS)) {
    const value = around[metric] ?? null;
    if (value === null) attributes.set(metric, null);
    else if (value >= least) attributes.set(metric, [String(least)]);
  }
  const calls = callsOf(trace);
  if (calls.size > 0) attributes.set("calls", [...calls.keys()]);
  const [longest] = [...calls].sort(([, a], [, b]) => b - a);
  if (longest && longest[1] >= (trace.durationUs / 1000) * DOMINANT_RATIO)
    attributes.set("mostTimeIn", [longest[0]]);
  return attributes;
}

/** Outgoing calls by what they called, with the time of all of them, ms. */
function callsOf(trace: DescribedTrace): Map<string, number> {
  const calls = new Map<string, number>();
  for (const span of spansOfPart(trace)) {
    if (span.category !== "database" && span.category !== "cache" && span.category !== "external") continue;
    const name = callName(span);
    calls.set(name, (calls.get(name) ?? 0) + span.durationMs);
  }
  return calls;
}

/** The statement where there is one; where it stays on its host, the span's name and the fingerprint. */
function callName({ name, attributes }: SpanAnswer): string {
  const text = attributes["db.query.text"];
  if (typeof text === "string" && text !== "") return text;
  const fingerprint = attributes["apm.statement.fingerprint"];
  return typeof fingerprint === "string" ? `${name} (${fingerprint})` : name;
}
