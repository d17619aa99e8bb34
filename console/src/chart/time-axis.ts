import type uPlot from "uplot";
import { clockText, dayText, minuteText } from "../ui/time-text.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Seconds need more room than there is right of the plot; a mark this close to its end stays without a label. */
const LABEL_ROOM_PX = 6;

const NARROW_PX = 140;

/** Least distance of two time marks: a narrow plot has room for few, but should have one. */
export function timeMarkSpacePx(widthPx: number): number {
  return widthPx < NARROW_PX ? 40 : 64;
}

/** uPlot makes a first mark in any case, also when the next round time lies after the end of the range. */
export function marksInRange(plot: uPlot, marks: number[]): (number | null)[] {
  const { max = Number.POSITIVE_INFINITY } = plot.scales["x"] ?? {};
  return marks.map((mark) => (mark <= max ? mark : null));
}

/** Labels of the time axis: as short as the distance of the marks allows, with the day where it changes. */
export function timeLabels(
  plot: uPlot,
  marks: number[],
  _axis: number,
  _space: number,
  gapMs: number,
): string[] {
  const { min = 0, max = 1 } = plot.scales["x"] ?? {};
  const pxPerMs = plot.width / (max - min);
  // What the filter took out arrives as null.
  return (marks as (number | null)[]).map((mark, index) => {
    if (mark === null) return "";
    if (gapMs >= DAY_MS) return dayText(mark);
    const before = marks[index - 1];
    if (before !== undefined && dayText(before) !== dayText(mark)) return dayText(mark);
    if (gapMs >= MINUTE_MS) return minuteText(mark);
    return (max - mark) * pxPerMs < LABEL_ROOM_PX ? "" : clockText(mark);
  });
}
