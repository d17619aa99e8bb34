import { callsInFlight } from "../data/get-json.ts";
import { collectorNowMs, isLive, pageNowMs, pageRange } from "./location.ts";
import { refreshEveryMs, untilNextBucketMs } from "./time-range.ts";

/** A closed window has travelled through daemon and collector after this time. */
const SETTLE_MS = 3000;
/** Timers fire late, never early; this much later still counts as the same moment. */
const TIMER_SLACK_MS = 500;
/** A cursor that rests on a chart for longer was left there: nobody reads any more. */
const LONGEST_READING_MS = 60_000;

/** Buckets that end after this time are still filling, Unix ms. */
export function closedUntilMs(): number {
  return pageNowMs.value - SETTLE_MS + TIMER_SLACK_MS;
}

/** When the cursor on a chart last moved; null while it is on none. */
let readingMs: number | null = null;
/** A refresh fell due meanwhile. */
let isDue = false;

/** Tells the refresh that the cursor just moved over a chart: who reads values off it is not disturbed. */
export function noteReading(): void {
  readingMs = performance.now();
}

/** Tells the refresh that the cursor left the charts; what fell due meanwhile is done now. */
export function stopReading(): void {
  readingMs = null;
  if (isDue) refreshNow();
}

function isRead(): boolean {
  return readingMs !== null && performance.now() - readingMs < LONGEST_READING_MS;
}

/** Shows the newest, unless the page is hidden, read, still loading, or does not end in now. */
export function refreshNow(): void {
  isDue = isLive.value && isRead();
  if (isLive.value && !isDue && !document.hidden && callsInFlight.value === 0)
    pageNowMs.value = collectorNowMs();
}

/** Moves the page's clock just after each bucket closes, unless the page is hidden, being read or still loading. */
export function startRefresh(): void {
  const tick = (): void => {
    refreshNow();
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
