/** A span of time that a lane or waterfall shows, Unix ms. */
export interface Bounds {
  fromMs: number;
  toMs: number;
}

/** Left edge and width in percent of the part of [startMs, endMs) that lies within the bounds; null without any. */
export function placeIn(
  { fromMs, toMs }: Bounds,
  startMs: number,
  endMs: number,
): { left: string; width: string } | null {
  const start = Math.max(startMs, fromMs);
  const end = Math.min(endMs, toMs);
  if (end <= start) return null;
  const percent = (ms: number): string => `${(ms / (toMs - fromMs)) * 100}%`;
  return { left: percent(start - fromMs), width: percent(end - start) };
}

/** Whole seconds within the bounds, thinned to at most `most`. */
export function secondMarks({ fromMs, toMs }: Bounds, most: number): number[] {
  const first = Math.ceil(fromMs / 1000);
  const count = Math.floor(toMs / 1000) - first + 1;
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((one) => count / one <= most) ?? 3_600;
  const marks: number[] = [];
  for (let second = Math.ceil(first / step) * step; second * 1000 <= toMs; second += step)
    marks.push(second * 1000);
  return marks;
}

const VIEW_WIDTH = 1000;
export const VIEW_HEIGHT = 100;

/** Bars of one layer as an SVG path in a view of 1000 x 100: each stands on the layers below it. */
export function barsPath(
  { fromMs, toMs }: Bounds,
  { t0, stepMs }: { t0: number; stepMs: number },
  heights: readonly (number | null)[],
  below: readonly number[],
): string {
  const x = (ms: number): number =>
    (Math.min(Math.max((ms - fromMs) / (toMs - fromMs), 0), 1) * VIEW_WIDTH * 100) / 100;
  const parts: string[] = [];
  for (const [i, height] of heights.entries()) {
    const left = x(t0 + i * stepMs);
    const right = x(t0 + (i + 1) * stepMs);
    if (height === null || height <= 0 || right <= left) continue;
    const foot = VIEW_HEIGHT * (1 - Math.min(1, below[i] ?? 0));
    const top = Math.max(0, foot - VIEW_HEIGHT * height);
    const [l, r, f, u] = [left, right, foot, top].map((value) => value.toFixed(2));
    parts.push(`M${l} ${f}V${u}H${r}V${f}Z`);
  }
  return parts.join("");
}
