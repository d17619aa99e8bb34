/** A range of the page as the URL says it: `now`, `now-30m`, an ISO time or Unix milliseconds. */
export interface RangeText {
  from: string;
  to: string;
}

/** The same in Unix milliseconds, from <= t < to. */
export interface Range {
  fromMs: number;
  toMs: number;
}

export const DEFAULT_RANGE: RangeText = { from: "now-30m", to: "now" };
/** One window: what a click on a bucket may ask for. */
const SHORTEST_RANGE_MS = 10_000;
/** Shorter ranges hold less than three windows, which is no curve. */
export const SHORTEST_CURVE_MS = 30_000;
const LONGEST_RANGE_MS = 400 * 86_400_000;
const WINDOW_MS = 10_000;
const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Offers of the time picker, as text after `now-`. */
export const PRESETS = ["5m", "15m", "30m", "1h", "3h", "6h", "12h", "24h", "2d", "7d"] as const;

/** Unix milliseconds of one end; null where the text is not a time. */
export function parseTime(text: string, nowMs: number): number | null {
  if (text === "now") return nowMs;
  const relative = /^now-(\d{1,6})([smhdw])$/.exec(text);
  if (relative) return nowMs - Number(relative[1]) * (UNIT_MS[relative[2] ?? ""] ?? 0);
  if (/^\d{12,14}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return null;
  const unixMs = Date.parse(text);
  return Number.isNaN(unixMs) ? null : unixMs;
}

/** The range in milliseconds; null where an end is not a time, or the range is empty, too short or too long. */
export function resolveRange(text: RangeText, nowMs: number): Range | null {
  const fromMs = parseTime(text.from, nowMs);
  const toMs = parseTime(text.to, nowMs);
  if (fromMs === null || toMs === null) return null;
  const lengthMs = toMs - fromMs;
  return lengthMs >= SHORTEST_RANGE_MS && lengthMs <= LONGEST_RANGE_MS ? { fromMs, toMs } : null;
}

/** Whether the range moves with the clock, so that the page must refresh. */
export function endsInNow(text: RangeText): boolean {
  return text.to === "now";
}

/** The preset that this range is ("30m"), or null for any other. */
export function presetOf(text: RangeText): string | null {
  const match = /^now-(\d+[smhdw])$/.exec(text.from);
  return text.to === "now" && match ? (match[1] ?? null) : null;
}

/** A bucket's own time as text, whole windows around it. */
export function bucketText(range: Range): RangeText {
  const fromMs = Math.floor(range.fromMs / WINDOW_MS) * WINDOW_MS;
  return { from: isoText(fromMs), to: isoText(Math.ceil(range.toMs / WINDOW_MS) * WINDOW_MS) };
}

/** A fixed range as text, whole windows around it, at least SHORTEST_CURVE_MS long. */
export function rangeText(range: Range): RangeText {
  const fromMs = Math.floor(range.fromMs / WINDOW_MS) * WINDOW_MS;
  const toMs = Math.max(Math.ceil(range.toMs / WINDOW_MS) * WINDOW_MS, fromMs + SHORTEST_CURVE_MS);
  return { from: isoText(fromMs), to: isoText(toMs) };
}

/** The neighbouring range of the same length; forward never passes `nowMs`, there it becomes relative again. */
export function shiftRange(range: Range, direction: -1 | 1, nowMs: number): RangeText {
  const lengthMs = range.toMs - range.fromMs;
  const toMs = range.toMs + direction * lengthMs;
  if (toMs >= nowMs) return { from: relativeText(lengthMs), to: "now" };
  return wholeWindows(toMs, lengthMs);
}

/** A range of about this length whose ends are windows' borders; going there and back keeps the length. */
function wholeWindows(toMs: number, lengthMs: number): RangeText {
  const endMs = Math.floor(toMs / WINDOW_MS) * WINDOW_MS;
  return rangeText({ fromMs: endMs - Math.round(lengthMs / WINDOW_MS) * WINDOW_MS, toMs: endMs });
}

/** Twice the range around the same middle, but not into the future. */
export function widenRange(range: Range, nowMs: number): RangeText {
  const halfMs = (range.toMs - range.fromMs) / 2;
  if (range.toMs + halfMs >= nowMs) return { from: relativeText(4 * halfMs), to: "now" };
  return wholeWindows(range.toMs + halfMs, 4 * halfMs);
}

/** Unit by unit from the largest that divides the length, so that 1,800,000 ms reads `now-30m`. */
function relativeText(lengthMs: number): string {
  const wholeSeconds = Math.max(1, Math.round(lengthMs / 1000)) * 1000;
  for (const unit of ["d", "h", "m"]) {
    const unitMs = UNIT_MS[unit] ?? 1;
    if (wholeSeconds % unitMs === 0) return `now-${wholeSeconds / unitMs}${unit}`;
  }
  return `now-${wholeSeconds / 1000}s`;
}

function isoText(unixMs: number): string {
  return new Date(unixMs).toISOString().replace(".000Z", "Z");
}

/** Pause between refreshes: the width of a chart's bucket within 10..60 s. */
export function refreshEveryMs(range: Range): number {
  const bucketMs = Math.ceil((range.toMs - range.fromMs) / 300 / WINDOW_MS) * WINDOW_MS;
  return Math.min(Math.max(bucketMs, WINDOW_MS), 60_000);
}

/** Milliseconds until `settleMs` after the next bucket's end, when its numbers have arrived. */
export function untilNextBucketMs(nowMs: number, everyMs: number, settleMs: number): number {
  return everyMs - ((nowMs - settleMs) % everyMs);
}
