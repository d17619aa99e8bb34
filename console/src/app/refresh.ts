import { callsInFlight } from "../data/get-json.ts";
import { collectorNowMs, isLive, pageNowMs, pageRange } from "./location.ts";
import { refreshEveryMs, untilNextBucketMs } from "./time-range.ts";

/** A closed window has travelled through daemon and collector after this time. */
const SETTLE_MS = 3000;
/** Timers fire late, never early; this much later still counts as the same moment. */
const TIMER_SLACK_MS = 500;
/** Someone who reads values off a chart is not disturbed for this long after the last movement. */
const READING_MS = 4000;

/** Buckets that end after this time are still filling, Unix ms. */
export function closedUntilMs(): number {
  return pageNowMs.value - SETTLE_MS + TIMER_SLACK_MS;
}

let lastReadingMs = Number.NEGATIVE_INFINITY;

/** Tells the refresh that the cursor just moved over a chart. */
export function noteReading(): void {
  lastReadingMs = performance.now();
}

/** Moves the page's clock just after each bucket closes, unless the page is hidden, being read or still loading. */
export function startRefresh(): void {
  const tick = (): void => {
    const isRead = performance.now() - lastReadingMs < READING_MS;
    if (isLive.value && !document.hidden && !isRead && callsInFlight.value === 0)
      pageNowMs.value = collectorNowMs();
    plan();
  };
  const plan = (): void => {
    const pauseMs = untilNextBucketMs(collectorNowMs(), refreshEveryMs(pageRange.value), SETTLE_MS);
    window.setTimeout(tick, pauseMs);
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && isLive.value) pageNowMs.value = collectorNowMs();
  });
  plan();
}
