import { apdexScore, mergeHistograms, quantileUs, type SparseHistogram } from "@apm-daemon/protocol";
import type { RequestSums } from "../store/store.ts";

/** The statistics under the names of docs/api.md. Times in ms. */
export interface RequestStatistics {
  requests: number;
  errors: number;
  errorRate: number | null;
  apdex: number | null;
  apdexTMs: number | null;
  satisfied: number;
  tolerating: number;
  frustrated: number;
  responseTimeMs: DurationStatistics | null;
  throughputRpm: number;
  timeSplitMs: TimeSplit | null;
  totalTimeMs: number;
}

export interface DurationStatistics {
  avg: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

/** Averages per request. */
export interface TimeSplit {
  code: number;
  database: number;
  cache: number;
  external: number;
  queue: number;
}

const NO_REQUESTS: RequestSums = {
  requests: 0,
  errors: 0,
  satisfied: 0,
  tolerating: 0,
  frustrated: 0,
  sumUs: 0,
  maxUs: 0,
  codeUs: 0,
  databaseUs: 0,
  cacheUs: 0,
  externalUs: 0,
  queueUs: 0,
  histogram: { buckets: [], counts: [] },
};

/** Requests of several groups together; undefined for none. */
export function addedUpRequests(rows: readonly RequestSums[]): RequestSums | undefined {
  const [first, ...others] = rows;
  if (first === undefined || others.length === 0) return first;
  const sum = (name: Exclude<keyof RequestSums, "histogram">): number =>
    rows.reduce((total, row) => total + row[name], 0);
  return {
    requests: sum("requests"),
    errors: sum("errors"),
    satisfied: sum("satisfied"),
    tolerating: sum("tolerating"),
    frustrated: sum("frustrated"),
    sumUs: sum("sumUs"),
    maxUs: Math.max(...rows.map(({ maxUs }) => maxUs)),
    codeUs: sum("codeUs"),
    databaseUs: sum("databaseUs"),
    cacheUs: sum("cacheUs"),
    externalUs: sum("externalUs"),
    queueUs: sum("queueUs"),
    histogram: mergeHistograms(rows.map(({ histogram }) => histogram)),
  };
}

/** `minutes` is what the requests are divided by for the throughput; absent sums mean no requests. */
export function requestStatistics(
  sums: RequestSums | undefined,
  apdexTMs: number | null,
  minutes: number,
): RequestStatistics {
  const totals = sums ?? NO_REQUESTS;
  const { requests, errors, satisfied, tolerating, frustrated } = totals;
  return {
    requests,
    errors,
    errorRate: requests === 0 ? null : errors / requests,
    apdex: apdexScore(satisfied, tolerating, frustrated),
    apdexTMs,
    satisfied,
    tolerating,
    frustrated,
    responseTimeMs: durationStatistics(requests, totals.sumUs, totals.maxUs, totals.histogram),
    throughputRpm: minutes === 0 ? 0 : requests / minutes,
    timeSplitMs: timeSplit(totals),
    totalTimeMs: totals.sumUs / 1000,
  };
}

/** Null without events. A percentile is the middle of a bucket, so it is held below the true maximum. */
export function durationStatistics(
  events: number,
  sumUs: number,
  maxUs: number,
  histogram: SparseHistogram,
): DurationStatistics | null {
  if (events === 0) return null;
  const quantileMs = (q: number): number => Math.min(quantileUs(histogram, q) ?? maxUs, maxUs) / 1000;
  return {
    avg: sumUs / events / 1000,
    p50: quantileMs(0.5),
    p95: quantileMs(0.95),
    p99: quantileMs(0.99),
    max: maxUs / 1000,
  };
}

export function timeSplit(sums: RequestSums): TimeSplit | null {
  if (sums.requests === 0) return null;
  const averageMs = (us: number): number => us / sums.requests / 1000;
  return {
    code: averageMs(sums.codeUs),
    database: averageMs(sums.databaseUs),
    cache: averageMs(sums.cacheUs),
    external: averageMs(sums.externalUs),
    queue: averageMs(sums.queueUs),
  };
}

/** What a group has cost in satisfaction: frustrated + tolerating / 2. */
export function dissatisfaction(sums: { tolerating: number; frustrated: number }): number {
  return sums.frustrated + sums.tolerating / 2;
}

/** part / whole, or null when there is no whole. */
export function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
