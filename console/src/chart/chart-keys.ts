import { showRange } from "../app/location.ts";
import { rangeText } from "../app/time-range.ts";
import type { PlotData, TimePlot } from "./time-plot.ts";

/** The keyboard's cursor on one chart: arrows move it, Shift with arrows selects from where it stood, Enter zooms or picks. */
export class ChartKeys {
  /** Bucket under the cursor, whoever moved it there. */
  index: number | null = null;
  #anchor: number | null = null;

  /** Whether the key meant something to the chart. */
  handle(event: KeyboardEvent, plot: TimePlot, data: PlotData, onPick: (index: number) => void): boolean {
    if (event.key === "Escape") return this.#leave(plot);
    if (event.key === "Enter") return this.#zoom(plot) || this.#pick(onPick);
    const next = this.#next(event.key, data);
    if (next === null || event.altKey || event.ctrlKey || event.metaKey) return false;
    this.#anchor = event.shiftKey ? (this.#anchor ?? this.index ?? next) : null;
    plot.moveCursor(next);
    this.index = next;
    if (this.#anchor === null) plot.clearSelection();
    else plot.select(Math.min(this.#anchor, next), Math.max(this.#anchor, next));
    return true;
  }

  #next(key: string, data: PlotData): number | null {
    const last = Math.max(0, ...data.values.map((list) => list.length)) - 1;
    if (last < 0) return null;
    const here = this.index;
    if (key === "Home") return 0;
    if (key === "End") return last;
    if (key === "ArrowLeft") return here === null ? last : Math.max(0, here - 1);
    if (key === "ArrowRight") return here === null ? 0 : Math.min(last, here + 1);
    return null;
  }

  #leave(plot: TimePlot): boolean {
    const wasActive = this.index !== null || this.#anchor !== null;
    this.#anchor = null;
    this.index = null;
    plot.clearSelection();
    plot.moveCursor(null);
    return wasActive;
  }

  #pick(onPick: (index: number) => void): boolean {
    if (this.index === null) return false;
    onPick(this.index);
    return true;
  }

  #zoom(plot: TimePlot): boolean {
    if (this.#anchor === null || this.index === null) return false;
    const range = plot.select(Math.min(this.#anchor, this.index), Math.max(this.#anchor, this.index));
    this.#leave(plot);
    showRange(rangeText(range), true);
    return true;
  }
}
