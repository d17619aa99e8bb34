import { pageNowMs } from "../../app/location.ts";
import { AXIS_FONT, type HeatColor, type Palette } from "../../chart/colors.ts";
import { missingSoFar } from "../../chart/plot-input.ts";
import type { HeatmapAnswer, TraceRow } from "../../data/answers.ts";
import { duration, text } from "../../ui/number-text.ts";
import { clockText, dayText, minuteText } from "../../ui/time-text.ts";
import type { Box, LatencyScale } from "./latency-scale.ts";

const HEAT: readonly HeatColor[] = ["heat-0", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5", "heat-6"];
const POINT_PX = 3.5;
const TIME_LABEL_PX = 90;
const DAY_MS = 86_400_000;

/** Place of a count on the ramp of seven colours, which is logarithmic: 0 for one request. */
export function heatStep(requests: number, most: number): number {
  if (most <= 1) return HEAT.length - 1;
  return Math.min(HEAT.length - 1, Math.floor((Math.log(requests) / Math.log(most)) * HEAT.length));
}

export function drawFrame(
  ctx: CanvasRenderingContext2D,
  scale: LatencyScale,
  map: HeatmapAnswer,
  palette: Palette,
): void {
  const { plot } = scale;
  ctx.font = AXIS_FONT;
  for (const [first, last] of missingSoFar(map, map.reported, pageNowMs.value))
    for (let column = first; column <= last; column++)
      hatch(ctx, { ...scale.boxOf({ column, row: 0 }), y: plot.y, height: plot.height }, palette);
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  for (const ms of durationMarks(scale)) {
    const y = scale.yOf(ms);
    ctx.fillStyle = palette("line");
    ctx.fillRect(plot.x, Math.round(y), plot.width, 1);
    ctx.fillStyle = palette("text-3");
    ctx.fillText(text(duration(ms)), plot.x - 6, y);
  }
  if (map.rows.at(-1)?.toMs === null) {
    ctx.fillStyle = palette("text-3");
    ctx.fillText(`> ${text(duration(scale.axis.highMs))}`, plot.x - 6, scale.yOf(Number.POSITIVE_INFINITY));
  }
  drawTimes(ctx, scale, map, palette);
}

function drawTimes(
  ctx: CanvasRenderingContext2D,
  { plot, columns }: LatencyScale,
  { t0, stepMs, from, to }: HeatmapAnswer,
  palette: Palette,
): void {
  const count = Math.max(1, Math.floor(plot.width / TIME_LABEL_PX));
  const every = Math.max(1, Math.ceil(columns / count));
  const label = to - from > DAY_MS ? dayAndMinute : stepMs * every < 60_000 ? clockText : minuteText;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  ctx.fillStyle = palette("text-3");
  for (let column = 0; column < columns; column += every) {
    const x = plot.x + (column / columns) * plot.width;
    if (x + 40 < plot.x + plot.width) ctx.fillText(label(t0 + column * stepMs), x, plot.y + plot.height + 5);
  }
}

function dayAndMinute(unixMs: number): string {
  return `${dayText(unixMs)} ${minuteText(unixMs)}`;
}

/** 1, 2 and 5 of each power of ten within the axis, so few that they do not touch. */
function durationMarks(scale: LatencyScale): number[] {
  const { lowMs, highMs } = scale.axis;
  const marks: number[] = [];
  for (let power = -3; power <= 6; power++) {
    for (const factor of [1, 2, 5]) {
      const ms = factor * 10 ** power;
      if (ms < lowMs || ms > highMs) continue;
      const last = marks.at(-1);
      if (last === undefined || scale.yOf(last) - scale.yOf(ms) >= 18) marks.push(ms);
    }
  }
  return marks;
}

export function drawCells(
  ctx: CanvasRenderingContext2D,
  scale: LatencyScale,
  { cells }: HeatmapAnswer,
  palette: Palette,
): void {
  const most = Math.max(1, ...cells.requests);
  for (const [i, requests] of cells.requests.entries()) {
    const box = scale.boxOf({ column: cells.column[i] ?? 0, row: cells.row[i] ?? 0 });
    ctx.fillStyle = palette(HEAT[heatStep(requests, most)] ?? "heat-0");
    // A hair between cells where there is room for one.
    const gapX = box.width > 4 ? 1 : 0;
    const gapY = box.height > 4 ? 1 : 0;
    ctx.fillRect(box.x, box.y + gapY, Math.max(1, box.width - gapX), Math.max(1, box.height - gapY));
  }
}

/** Kept traces by their end: failed ones as crosses, those whose cause is known as filled points. */
export function drawPoints(
  ctx: CanvasRenderingContext2D,
  scale: LatencyScale,
  traces: readonly TraceRow[],
  palette: Palette,
): void {
  ctx.lineWidth = 1.5;
  for (const { startUnixMs, durationMs, error, verdict } of traces) {
    const x = scale.xOf(startUnixMs + durationMs);
    const y = scale.yOf(durationMs);
    ctx.beginPath();
    if (error) {
      ctx.strokeStyle = palette("status-5xx");
      ctx.moveTo(x - POINT_PX, y - POINT_PX);
      ctx.lineTo(x + POINT_PX, y + POINT_PX);
      ctx.moveTo(x + POINT_PX, y - POINT_PX);
      ctx.lineTo(x - POINT_PX, y + POINT_PX);
      ctx.stroke();
      continue;
    }
    ctx.arc(x, y, POINT_PX, 0, 2 * Math.PI);
    ctx.strokeStyle = ctx.fillStyle = palette((verdict?.causes.length ?? 0) > 0 ? "database" : "code");
    if ((verdict?.causes.length ?? 0) > 0) ctx.fill();
    ctx.stroke();
  }
}

export function drawBox(ctx: CanvasRenderingContext2D, box: Box, color: string, isFilled: boolean): void {
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(box.x, box.y, box.width, box.height);
  ctx.globalAlpha = 0.14;
  if (isFilled) ctx.fillRect(box.x, box.y, box.width, box.height);
  ctx.restore();
}

function hatch(ctx: CanvasRenderingContext2D, { x, y, width, height }: Box, palette: Palette): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.beginPath();
  // In step with the neighbouring column.
  const first = Math.floor((x - height) / 6) * 6;
  for (let left = first; left < x + width; left += 6) {
    ctx.moveTo(left, y + height);
    ctx.lineTo(left + height, y);
  }
  ctx.globalAlpha = 0.55;
  ctx.strokeStyle = palette("control");
  ctx.lineWidth = 1;
  ctx.stroke();
  ctx.restore();
}
