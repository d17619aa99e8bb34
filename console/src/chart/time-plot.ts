import uPlot from "uplot";
import type { Range } from "../app/time-range.ts";
import { APDEX_BORDERS } from "../ui/apdex-grade.ts";
import { zonedDate } from "../ui/zone.ts";
import { AXIS_FONT, type ColorName, type Palette } from "./colors.ts";
import { HeldTop } from "./held-top.ts";
import { drawDimmed, drawHatch, drawMark, drawRibbon, drawStripes } from "./overlays.ts";
import { drawOrder, layeredValues, positive } from "./plot-layers.ts";
import { lonePoints, type Values } from "./stack.ts";
import { marksInRange, timeLabels, timeMarkSpacePx } from "./time-axis.ts";
import { axisLabels, BYTE_STEPS, logMarks, type Unit } from "./unit.ts";

export interface PlotSeries {
  key: string;
  color: ColorName;
  /** Dashed: for comparison, never part of a stack. */
  isDashed: boolean;
  /** Place in the stack, 0 is the bottom. */
  layer: number;
}

/** What stays the same while data changes; another shape needs another plot. */
export interface PlotShape {
  kind: "lines" | "stack";
  unit: Unit;
  isLog: boolean;
  /** Fixed upper end of the value axis. */
  top: number | null;
  /** The value axis reaches at least up to here. */
  leastTop: number;
  /** Words of the Apdex grades, best first, for the right-hand axis. */
  gradeWords: string[] | null;
  series: PlotSeries[];
}

export interface PlotData {
  range: Range;
  t0: number;
  stepMs: number;
  /** New seconds come all the time: the value axis is kept from jumping. */
  isLive: boolean;
  /** One list a series, in the order of the shape. */
  values: Values[];
  /** Runs of buckets in which nothing arrived. */
  missing: [number, number][];
  /** Runs of buckets of which a part was lost. */
  partial: [number, number][];
  /** First bucket that is still filling; null when all are closed. */
  fillingFrom: number | null;
  /** Moments of note, Unix ms. */
  marks: readonly number[];
}

export interface PlotHandlers {
  /** The bucket under the cursor, also when the cursor is on another chart of the page. */
  onCursor(index: number | null): void;
  onZoom(range: Range): void;
  /** A click, without a drag, while the cursor was on this bucket. */
  onPick(index: number): void;
}

const SYNC_KEY = "page";
const SHORTEST_BRUSH_PX = 8;

/** One uPlot with the page's conventions: shared crosshair, brush, gaps, hatched losses, dimmed last bucket. */
export class TimePlot {
  readonly #plot: uPlot;
  readonly #shape: PlotShape;
  readonly #palette: Palette;
  readonly #handlers: PlotHandlers;
  /** Position in uPlot's list of each series: uPlot draws in order, a stack from the top layer down. */
  readonly #drawOrder: number[];
  readonly #heldTop: HeldTop = new HeldTop();
  #data: PlotData;
  #tapped: number | null = null;

  constructor(
    target: HTMLElement,
    shape: PlotShape,
    data: PlotData,
    palette: Palette,
    handlers: PlotHandlers,
  ) {
    this.#shape = shape;
    this.#palette = palette;
    this.#handlers = handlers;
    this.#data = data;
    this.#drawOrder = drawOrder(shape);
    const size = { width: Math.max(target.clientWidth, 40), height: Math.max(target.clientHeight, 40) };
    this.#plot = new uPlot(this.#options(size), this.#table(null), target);
    this.over.addEventListener("click", (event) => this.#clicked(event));
  }

  /** The element that covers the plotting area; cursor events go there. */
  get over(): HTMLElement {
    return this.#plot.over;
  }

  /** New data; `only` shows one series alone. */
  draw(data: PlotData, only: number | null): void {
    this.#data = data;
    this.#plot.setData(this.#table(only));
  }

  resize(width: number, height: number): void {
    if (width > 0 && height > 0 && (width !== this.#plot.width || height !== this.#plot.height)) {
      this.#plot.setSize({ width, height });
    }
  }

  /** Draws again, e.g. when fonts have arrived. */
  redraw(): void {
    this.#plot.redraw(false, true);
  }

  /** Moves the cursor of all charts of the page to a bucket of this one; null takes it away. */
  moveCursor(index: number | null): void {
    if (index === null) {
      this.over.dispatchEvent(new MouseEvent("mouseleave"));
      return;
    }
    const bounds = this.over.getBoundingClientRect();
    const left = this.#plot.valToPos(this.#timeOf(index), "x");
    this.moveCursorTo(bounds.left + left, bounds.top + bounds.height / 2);
  }

  /** The same by a place on the screen. */
  moveCursorTo(clientX: number, clientY: number): void {
    this.over.dispatchEvent(new MouseEvent("mousemove", { clientX, clientY }));
  }

  /** The bucket at this place on the screen. */
  indexAt(clientX: number): number {
    return this.#plot.posToIdx(clientX - this.over.getBoundingClientRect().left);
  }

  /** Shows buckets first..last as selected, without zooming. */
  select(first: number, last: number): Range {
    const left = this.#plot.valToPos(this.#timeOf(first), "x");
    const right = this.#plot.valToPos(this.#timeOf(last + 1), "x");
    this.#plot.setSelect({ left, top: 0, width: right - left, height: this.over.clientHeight }, false);
    return { fromMs: this.#timeOf(first), toMs: this.#timeOf(last + 1) };
  }

  clearSelection(): void {
    this.#plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  destroy(): void {
    this.#plot.destroy();
  }

  #timeOf(index: number): number {
    return this.#data.t0 + index * this.#data.stepMs;
  }

  #table(only: number | null): uPlot.AlignedData {
    const { values } = this.#data;
    const length = Math.max(0, ...values.map((list) => list.length));
    const times = Array.from({ length }, (_, index) => this.#timeOf(index));
    const empty = Array.from({ length }, () => null);
    const visible = values.map((list, index) => (only === null || only === index ? [...list] : empty));
    const drawn = this.#shape.kind === "stack" ? layeredValues(this.#shape.series, visible) : visible;
    const ordered = this.#drawOrder.map((index) => drawn[index] ?? empty);
    return [times, ...(this.#shape.isLog ? ordered.map(positive) : ordered)];
  }

  #options(size: { width: number; height: number }): uPlot.Options {
    return {
      ...size,
      ms: 1,
      tzDate: zonedDate,
      padding: [8, this.#shape.gradeWords ? 0 : 20, 0, 0],
      legend: { show: false },
      cursor: this.#cursor(),
      scales: {
        x: { time: true, range: () => [this.#data.range.fromMs, this.#data.range.toMs] },
        y: this.#valueScale(),
      },
      axes: this.#axes(),
      series: [{}, ...this.#drawOrder.map((index) => this.#seriesOptions(index))],
      hooks: {
        drawClear: [(plot) => this.#drawBehind(plot)],
        draw: [(plot) => this.#drawInFront(plot)],
        setCursor: [(plot) => this.#handlers.onCursor(plot.cursor.idx ?? null)],
        setSelect: [(plot) => this.#brushed(plot)],
      },
    };
  }

  #cursor(): uPlot.Cursor {
    const isCursorEvent = (type: string): boolean => type === "mousemove" || type === "mouseleave";
    return {
      x: true,
      y: false,
      points: { show: this.#shape.kind === "lines", size: 7, width: 0 },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      bind: { dblclick: () => null },
      sync: { key: SYNC_KEY, scales: ["x", null], filters: { pub: isCursorEvent, sub: isCursorEvent } },
    };
  }

  #valueScale(): uPlot.Scale {
    const { isLog, top, leastTop, gradeWords } = this.#shape;
    if (gradeWords) {
      return { range: (_plot, low) => [Math.min(0.5, Math.floor((low ?? 1) * 10) / 10), 1] };
    }
    if (isLog) {
      return {
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- a const enum of uPlot: it has no value to import
        distr: 3,
        range: (_plot, low, high) => {
          const marks = logMarks(low > 0 ? low : 1, high > 0 ? high : 10);
          return [marks[0] ?? 1, marks.at(-1) ?? 10];
        },
      };
    }
    return { range: (_plot, _low, high) => [0, top ?? this.#topOf(Math.max((high ?? 0) * 1.06, leastTop))] };
  }

  #topOf(needed: number): number {
    return this.#data.isLive ? this.#heldTop.next(needed, performance.now()) : needed;
  }

  #axes(): uPlot.Axis[] {
    const { unit, isLog, gradeWords } = this.#shape;
    const shared: uPlot.Axis = {
      font: AXIS_FONT,
      stroke: this.#palette("text-3"),
      ticks: { show: false },
      grid: { stroke: this.#palette("line"), width: 1 },
    };
    const valueAxis: uPlot.Axis = {
      ...shared,
      gap: 6,
      size: (_plot, labels) => 12 + 6.4 * Math.max(3, ...(labels ?? []).map((label) => label.length)),
      space: 34,
      values: (_plot, marks) =>
        isLog ? marks.flatMap((mark) => axisLabels(unit, [mark])) : axisLabels(unit, marks),
    };
    // uPlot would blank the marks that are no powers of ten.
    if (isLog) valueAxis.filter = (_plot, marks) => marks;
    if (isLog) valueAxis.splits = (plot) => logMarks(plot.scales["y"]?.min ?? 1, plot.scales["y"]?.max ?? 10);
    if (unit === "bytes") valueAxis.incrs = BYTE_STEPS;
    const timeAxis: uPlot.Axis = {
      ...shared,
      gap: 4,
      size: 26,
      space: (_plot, _axis, _min, _max, widthPx) => timeMarkSpacePx(widthPx),
      filter: marksInRange,
      values: timeLabels,
    };
    const axes = [timeAxis, valueAxis];
    if (!gradeWords) return axes;
    valueAxis.splits = (plot) =>
      APDEX_BORDERS.map((border) => border.from).filter((from) => from >= lowEnd(plot));
    return [...axes, this.#gradeAxis(shared, gradeWords)];
  }

  #gradeAxis(shared: uPlot.Axis, words: string[]): uPlot.Axis {
    const middles = (plot: uPlot): number[] =>
      gradeBands(lowEnd(plot)).map(([low, high]) => (low + high) / 2);
    return {
      ...shared,
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- a const enum of uPlot: it has no value to import
      side: 1,
      size: 84,
      gap: 8,
      grid: { show: false },
      splits: middles,
      values: () => words,
    };
  }

  #seriesOptions(index: number): uPlot.Series {
    const series = this.#shape.series[index];
    const color = this.#palette(series?.color ?? "accent");
    const points: uPlot.Series.Points = {
      show: true,
      size: 5,
      width: 0,
      fill: color,
      filter: (plot, seriesIndex) =>
        lonePoints([...(plot.data[seriesIndex] ?? [])].map((value) => value ?? null)),
    };
    if (series?.isDashed) return { stroke: this.#palette("text-2"), width: 1.5, dash: [5, 4], points };
    if (this.#shape.kind === "lines") return { stroke: color, width: 1.5, points };
    // A line of the surface's colour keeps neighbouring layers apart without relying on their hues.
    return { stroke: this.#palette("surface"), width: 1, fill: color, fillTo: 0, points };
  }

  #drawBehind(plot: uPlot): void {
    if (this.#shape.gradeWords) {
      const bands = gradeBands(lowEnd(plot)).filter((_, position) => position % 2 === 1);
      drawStripes(plot, bands, this.#palette("inset"));
    }
    for (const [first, last] of this.#data.missing) {
      drawHatch(plot, this.#timeOf(first), this.#timeOf(last + 1), this.#palette("control"));
    }
  }

  #drawInFront(plot: uPlot): void {
    const { fillingFrom, marks, partial } = this.#data;
    for (const [first, last] of partial)
      drawRibbon(plot, this.#timeOf(first), this.#timeOf(last + 1), this.#palette("status-4xx"));
    for (const mark of marks) drawMark(plot, mark, this.#palette("status-5xx"));
    if (fillingFrom === null || fillingFrom === 0) return;
    drawDimmed(plot, this.#timeOf(fillingFrom - 1), this.#palette("surface"), this.#palette("control"));
  }

  /** A finger has no hover: its first tap shows a bucket's values, the next one picks it. */
  #clicked(event: MouseEvent): void {
    const { idx } = this.#plot.cursor;
    if (idx === null || idx === undefined) return;
    const isTouch = event instanceof PointerEvent && event.pointerType === "touch";
    const isShown = !isTouch || idx === this.#tapped;
    this.#tapped = idx;
    if (isShown) this.#handlers.onPick(idx);
  }

  #brushed(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < SHORTEST_BRUSH_PX) return;
    const range = { fromMs: plot.posToVal(left, "x"), toMs: plot.posToVal(left + width, "x") };
    this.clearSelection();
    this.#handlers.onZoom(range);
  }
}

function lowEnd(plot: uPlot): number {
  return plot.scales["y"]?.min ?? 0;
}

/** [low, high] of each grade that the axis shows, best first. */
function gradeBands(low: number): [number, number][] {
  const bands: [number, number][] = [];
  let high = 1;
  for (const border of APDEX_BORDERS) {
    if (high <= low) break;
    bands.push([Math.max(border.from, low), high]);
    high = border.from;
  }
  return bands;
}
