import type uPlot from "uplot";
import { clockText, dayText, minuteText } from "../ui/time-text.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** Seconds need more room than there is right of the plot; a mark this close to its end stays without a label. */
const LABEL_ROOM_PX = 6;

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
  return marks.map((mark, index) => {
    if (gapMs >= DAY_MS) return dayText(mark);
    const before = marks[index - 1];
    if (before !== undefined && dayText(before) !== dayText(mark)) return dayText(mark);
    if (gapMs >= MINUTE_MS) return minuteText(mark);
    return (max - mark) * pxPerMs < LABEL_ROOM_PX ? "" : clockText(mark);
  });
}
