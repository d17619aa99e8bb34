import type { TimeRange } from "../store/store.ts";

/** Counters live in windows of this length. */
export const WINDOW_SEC = 10;
const DEFAULT_RANGE_MS = 30 * 60_000;
const MAX_POINTS = 300;
/** The store keeps times as 32-bit Unix seconds. */
const MAX_SEC = 4_294_967_290;
/** Round steps, so that the marks of a time axis fall on steps. */
const ROUND_STEPS_SEC: readonly number[] = [
  1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
];

/** A time range in full windows, with the moment up to which there can be data. */
export interface QueryRange extends TimeRange {
  nowMs: number;
}

/** The range asked for in Unix ms, rounded outwards to full windows; the last 30 minutes by default. */
export function queryRange(fromMs: number | undefined, toMs: number | undefined, nowMs: number): QueryRange {
  const to = toMs ?? Math.max(nowMs, (fromMs ?? 0) + 1);
  const from = fromMs ?? to - DEFAULT_RANGE_MS;
  const windowMs = WINDOW_SEC * 1000;
  return {
    fromSec: Math.max(0, Math.floor(from / windowMs) * WINDOW_SEC),
    toSec: Math.ceil(to / windowMs) * WINDOW_SEC,
    nowMs,
  };
}

/** The range rounded outwards to full units. */
export function inUnits(range: QueryRange, unitSec: number): QueryRange {
  const fromSec = Math.floor(range.fromSec / unitSec) * unitSec;
  return { ...range, fromSec, toSec: Math.min(Math.ceil(range.toSec / unitSec) * unitSec, MAX_SEC) };
}

/** The part of a range of which all is kept that is kept from a second on; empty when the range lies before that. */
export function keptRange(range: QueryRange, keptFromSec: number): QueryRange {
  return { ...range, fromSec: Math.min(Math.max(range.fromSec, keptFromSec), range.toSec) };
}

/** What an answer says of age: null where all of the range is kept, else from when on, in Unix ms. Before that nothing is known. */
export function keptFrom({ fromSec }: TimeRange, keptFromSec: number): number | null {
  return fromSec >= keptFromSec ? null : keptFromSec * 1000;
}

/** `from` and `to` of an answer, in Unix ms. */
export function answeredRange({ fromSec, toSec }: TimeRange): { from: number; to: number } {
  return { from: fromSec * 1000, to: toSec * 1000 };
}

/** Minutes of the range that have passed already. */
export function minutesUpToNow({ fromSec, toSec, nowMs }: QueryRange): number {
  return Math.max(0, Math.min(toSec, nowMs / 1000) - fromSec) / 60;
}

/** Equal steps, aligned to the epoch so that a moving range keeps them; the first and last may reach beyond the range. */
export interface Steps {
  firstSec: number;
  stepSec: number;
  count: number;
}

/** Steps of at least `wantedSec`, a multiple of `unitSec`, so few that a chart has at most `maxPoints`. */
export function stepsOf(
  range: TimeRange,
  unitSec: number,
  wantedSec: number = 0,
  maxPoints: number = MAX_POINTS,
): Steps {
  const countOf = (stepSec: number): number =>
    Math.ceil(range.toSec / stepSec) - Math.floor(range.fromSec / stepSec);
  const round = ROUND_STEPS_SEC.find((step) => step % unitSec === 0 && countOf(step) <= maxPoints);
  const days = 86_400 * Math.ceil((range.toSec - range.fromSec) / (maxPoints - 1) / 86_400);
  const stepSec = Math.max(round ?? days, Math.ceil(wantedSec / unitSec) * unitSec);
  return {
    firstSec: Math.floor(range.fromSec / stepSec) * stepSec,
    stepSec,
    count: countOf(stepSec),
  };
}

/** The part of step `i` that lies within the range. */
export function stepRange(range: QueryRange, { firstSec, stepSec }: Steps, i: number): QueryRange {
  const startSec = firstSec + i * stepSec;
  return {
    fromSec: Math.max(startSec, range.fromSec),
    toSec: Math.min(startSec + stepSec, range.toSec),
    nowMs: range.nowMs,
  };
}
