import type { TimeInput } from "@opentelemetry/api";

/** Monotonic ms since process start. Bound once; hrtime.bigint would allocate. */
export const nowMs: () => number = performance.now.bind(performance);

/** Unix time in µs of a monotonic time, by the wall clock as it is now. */
export function unixUsOf(monotonicMs: number): number {
  return Math.round((Date.now() - nowMs() + monotonicMs) * 1_000);
}

const MAX_MONOTONIC_MS = 1e11;

/** Monotonic ms of any time that OpenTelemetry's API accepts. */
export function monotonicMsOf(time: TimeInput): number {
  if (typeof time === "number") {
    // A number of 3 years and less is a reading of performance.now(), a larger one counts ms since 1970.
    return time < MAX_MONOTONIC_MS ? time : time - (Date.now() - nowMs());
  }
  const unixMs = Array.isArray(time) ? time[0] * 1_000 + time[1] / 1e6 : time.getTime();
  return unixMs - (Date.now() - nowMs());
}
