import type { Answer } from "./load-generator.ts";
import { type Zones, zonesOf } from "./traffic.ts";

/** Two values between which the true one lies. */
export interface Bounds {
  low: number;
  high: number;
}

/** What is known of some requests from the load generator's log alone, without asking the product. */
export interface RequestTruth {
  requests: number;
  errors: number;
  statusCodes: Map<number, number>;
  /** In ms; at most what the generator waited, at least what the app is known to have waited for. */
  avgMs: Bounds;
  p95Ms: Bounds;
  maxMs: Bounds;
  totalMs: Bounds;
  apdex: Bounds;
  /** The same by the two sets of durations. */
  zones: { most: Zones; least: Zones };
}

/** The relative error of a percentile read from the histograms. */
const HISTOGRAM_ERROR = 0.011;

export function requestTruth(
  answers: readonly Answer[],
  thresholdMs: number,
  leastMs: (answer: Answer) => number,
): RequestTruth {
  const sorted = (durationOf: (answer: Answer) => number): number[] =>
    answers.map(durationOf).sort((a, b) => a - b);
  const most = sorted(({ durationMs }) => durationMs);
  const least = sorted(leastMs);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const statusCodes = new Map<number, number>();
  for (const { status } of answers) statusCodes.set(status, (statusCodes.get(status) ?? 0) + 1);
  const n = answers.length;
  const zones = {
    most: zonesOf(answers, thresholdMs),
    least: zonesOf(answers, thresholdMs, leastMs),
  };
  const score = ({ satisfied, tolerating }: Zones): number => (satisfied + tolerating / 2) / n;
  return {
    requests: n,
    errors: answers.filter(({ status }) => status >= 500).length,
    statusCodes,
    avgMs: { low: sum(least) / n, high: sum(most) / n },
    p95Ms: {
      low: (least[Math.floor(0.95 * (n - 1))] ?? 0) * (1 - HISTOGRAM_ERROR),
      high: (most[Math.min(n - 1, Math.ceil(0.95 * n))] ?? 0) * (1 + HISTOGRAM_ERROR),
    },
    maxMs: { low: least.at(-1) ?? 0, high: most.at(-1) ?? 0 },
    totalMs: { low: sum(least), high: sum(most) },
    apdex: { low: score(zones.most), high: score(zones.least) },
    zones,
  };
}

/** The share that some requests have in the time of all. */
export function timeShare(part: RequestTruth, all: RequestTruth): Bounds {
  const others = { low: all.totalMs.low - part.totalMs.low, high: all.totalMs.high - part.totalMs.high };
  return {
    low: part.totalMs.low / (part.totalMs.low + others.high),
    high: part.totalMs.high / Math.max(1e-9, part.totalMs.high + others.low),
  };
}
