import { performance } from "node:perf_hooks";
import type { TimeInput } from "@opentelemetry/api";

/** Monotonic ms since process start. Bound once; hrtime.bigint would allocate. */
export const nowMs: () => number = performance.now.bind(performance);

/** Unix time in µs of a monotonic time, by the wall clock as it is now. */
export function unixUsOf(monotonicMs: number): number {
  return Math.round((Date.now() - nowMs() + monotonicMs) * 1_000);
}

/** Monotonic ms of any time that OpenTelemetry's API accepts. */
export function monotonicMsOf(time: TimeInput): number {
  if (typeof time === "number") {
    // As in OpenTelemetry's SDK: numbers below the process's start are performance.now() readings, others epoch ms.
    return time < performance.timeOrigin ? time : time - (Date.now() - nowMs());
  }
  const unixMs = Array.isArray(time) ? time[0] * 1_000 + time[1] / 1e6 : time.getTime();
  return unixMs - (Date.now() - nowMs());
}
