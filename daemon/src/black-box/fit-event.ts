import { type AppEvent, type AppEventCurve, MAX_APP_EVENT_BYTES } from "@apm-daemon/protocol";

export const EMPTY_CURVE: AppEventCurve = {
  tsSec: [],
  rssBytes: [],
  cpuRatio: [],
  heapUsedBytes: [],
  eventLoopDelayP99Ms: [],
};

/** The event within MAX_APP_EVENT_BYTES: its oldest calls go first, then the stack, the requests in flight, the curve. */
export function fitEvent(event: AppEvent): AppEvent {
  let fitting = event;
  while (bytesOf(fitting) > MAX_APP_EVENT_BYTES) {
    if (fitting.lastCalls.length > 0) fitting = { ...fitting, lastCalls: fitting.lastCalls.slice(0, -1) };
    else if (fitting.error !== null && fitting.error.stack !== "")
      fitting = { ...fitting, error: { ...fitting.error, stack: "" } };
    else if (fitting.inFlight.length > 0) fitting = { ...fitting, inFlight: fitting.inFlight.slice(0, -1) };
    else return { ...fitting, curve: EMPTY_CURVE };
  }
  return fitting;
}

/** What is left of a report when an app ends again and again: that it ended, and how. */
export function leanEvent(event: AppEvent): AppEvent {
  const error = event.error === null ? null : { ...event.error, stack: "" };
  return { ...event, error, lastCalls: [], curve: EMPTY_CURVE };
}

function bytesOf(event: AppEvent): number {
  return Buffer.byteLength(JSON.stringify(event));
}
