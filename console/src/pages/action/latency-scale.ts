import type { HeatmapAnswer } from "../../data/answers.ts";
import type { Selected } from "./selection-text.ts";

/** Pixels around the cells: labels of durations, of times, and what lets the last time label breathe. */
const LEFT = 58;
const BOTTOM = 20;
const RIGHT = 8;
const TOP = 4;
/** The row beyond the axis stands apart. */
const BEYOND_HEIGHT = 14;
const BEYOND_GAP = 4;

export interface Cell {
  column: number;
  row: number;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where times and durations lie in a drawing of the heatmap: durations on a log axis, upwards, a last row beyond it on top. */
export class LatencyScale {
  readonly plot: Box;
  readonly columns: number;
  readonly #map: HeatmapAnswer;
  readonly #rows: HeatmapAnswer["rows"];
  readonly #hasBeyond: boolean;
  readonly #lowMs: number;
  readonly #highMs: number;
  /** Top of the rows below the one beyond the axis. */
  readonly #axisTop: number;

  constructor(map: HeatmapAnswer, width: number, height: number) {
    this.#map = map;
    this.#rows = map.rows;
    this.columns = map.reported.length;
    this.plot = {
      x: LEFT,
      y: TOP,
      width: Math.max(1, width - LEFT - RIGHT),
      height: Math.max(1, height - TOP - BOTTOM),
    };
    this.#hasBeyond = map.rows.at(-1)?.toMs === null;
    this.#axisTop = TOP + (this.#hasBeyond ? BEYOND_HEIGHT + BEYOND_GAP : 0);
    const first = map.rows[0];
    const lastToMs = map.rows.findLast(({ toMs }) => toMs !== null)?.toMs ?? 1;
    // The first row of a histogram begins at 0, which a log axis has no place for.
    this.#lowMs = first && first.fromMs > 0 ? first.fromMs : (first?.toMs ?? 1) / 2;
    this.#highMs = Math.max(lastToMs, this.#lowMs * 1.001);
  }

  get axis(): { lowMs: number; highMs: number } {
    return { lowMs: this.#lowMs, highMs: this.#highMs };
  }

  xOf(unixMs: number): number {
    const { t0, stepMs } = this.#map;
    const ratio = (unixMs - t0) / (stepMs * Math.max(1, this.columns));
    return this.plot.x + Math.min(1, Math.max(0, ratio)) * this.plot.width;
  }

  /** What is beyond the axis lies in the middle of its row. */
  yOf(ms: number): number {
    const bottom = this.plot.y + this.plot.height;
    if (this.#hasBeyond && ms > this.#highMs) return this.plot.y + BEYOND_HEIGHT / 2;
    const ratio = Math.log(ms / this.#lowMs) / Math.log(this.#highMs / this.#lowMs);
    return bottom - Math.min(1, Math.max(0, ratio)) * (bottom - this.#axisTop);
  }

  /** The box of a rectangle of cells. */
  boxOf(one: Cell, other: Cell = one): Box {
    const { t0, stepMs } = this.#map;
    const x = this.xOf(t0 + Math.min(one.column, other.column) * stepMs);
    const right = this.xOf(t0 + (Math.max(one.column, other.column) + 1) * stepMs);
    const bottom = this.#edges(Math.min(one.row, other.row)).bottom;
    const top = this.#edges(Math.max(one.row, other.row)).top;
    return { x, y: top, width: right - x, height: bottom - top };
  }

  /** The cell under a point, the nearest one outside of the plot. */
  cellAt(x: number, y: number): Cell {
    const column = Math.floor(((x - this.plot.x) / this.plot.width) * this.columns);
    return { column: clamp(column, this.columns - 1), row: this.#rowAt(y) };
  }

  /** What a rectangle of cells means. */
  selected(one: Cell, other: Cell): Selected {
    const { t0, stepMs, from, to } = this.#map;
    const low = this.#rows[Math.min(one.row, other.row)];
    const high = this.#rows[Math.max(one.row, other.row)];
    return {
      fromMs: Math.max(from, t0 + Math.min(one.column, other.column) * stepMs),
      toMs: Math.min(to, t0 + (Math.max(one.column, other.column) + 1) * stepMs),
      minMs: low?.fromMs ?? 0,
      maxMs: high?.toMs ?? null,
    };
  }

  /** Where a selection lies, also one that was made in another range. */
  boxOfSelected({ fromMs, toMs, minMs, maxMs }: Selected): Box {
    const x = this.xOf(fromMs);
    const y = maxMs === null ? this.plot.y : this.yOf(maxMs);
    const bottom = minMs >= this.#highMs ? this.plot.y + BEYOND_HEIGHT : this.yOf(minMs);
    return { x, y, width: this.xOf(toMs) - x, height: Math.max(2, bottom - y) };
  }

  #rowAt(y: number): number {
    const last = this.#rows.length - 1;
    if (this.#hasBeyond && y < this.#axisTop - BEYOND_GAP / 2) return last;
    const regular = last + (this.#hasBeyond ? 0 : 1);
    const bottom = this.plot.y + this.plot.height;
    return clamp(Math.floor(((bottom - y) / (bottom - this.#axisTop)) * regular), regular - 1);
  }

  #edges(row: number): { top: number; bottom: number } {
    if (this.#hasBeyond && row === this.#rows.length - 1)
      return { top: this.plot.y, bottom: this.plot.y + BEYOND_HEIGHT };
    const regular = this.#rows.length - (this.#hasBeyond ? 1 : 0);
    const bottom = this.plot.y + this.plot.height;
    const height = (bottom - this.#axisTop) / Math.max(1, regular);
    return { top: bottom - (row + 1) * height, bottom: bottom - row * height };
  }
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(most, value));
}
