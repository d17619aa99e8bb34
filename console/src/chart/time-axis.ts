import type uPlot from "uplot";
import { clockText, dayText, minuteText } from "../ui/time-text.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Labels of the time axis: as short as the distance of the marks allows, with the day where it changes. */
export function timeLabels(
  _plot: uPlot,
  marks: number[],
  _axis: number,
  _space: number,
  gapMs: number,
): string[] {
  return marks.map((mark, index) => {
    if (gapMs >= DAY_MS) return dayText(mark);
    const before = marks[index - 1];
    if (before !== undefined && dayText(before) !== dayText(mark)) return dayText(mark);
    return gapMs >= MINUTE_MS ? minuteText(mark) : clockText(mark);
  });
}
