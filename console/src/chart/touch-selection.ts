import type { Range } from "../app/time-range.ts";

/** What a selection by finger needs of a plot. */
interface TouchedPlot {
  /** The bucket at this place of the screen. */
  indexAt(clientX: number): number;
  moveCursorTo(clientX: number, clientY: number): void;
  select(first: number, last: number): Range;
  clearSelection(): void;
}

const LONG_PRESS_MS = 450;
/** A finger never lies quite still. */
const STILL_PX = 10;

/**
 * Fingers on a chart: dragging scrolls the page or moves the cursor, as the browser decides; only after a long press does it
 * select, and lifting the finger zooms.
 */
export class TouchSelection {
  readonly #zoom: (range: Range) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #start: { x: number; y: number } | null = null;
  #anchor: number | null = null;
  #newest = 0;

  constructor(zoom: (range: Range) => void) {
    this.#zoom = zoom;
  }

  get isSelecting(): boolean {
    return this.#anchor !== null;
  }

  start(event: TouchEvent, plot: TouchedPlot): void {
    this.cancel();
    const [touch, second] = [event.touches[0], event.touches[1]];
    if (!touch || second) return;
    const { clientX, clientY } = touch;
    this.#start = { x: clientX, y: clientY };
    this.#timer = setTimeout(() => {
      this.#anchor = plot.indexAt(clientX);
      this.#newest = this.#anchor;
      plot.select(this.#anchor, this.#anchor);
    }, LONG_PRESS_MS);
  }

  move(event: TouchEvent, plot: TouchedPlot): void {
    const touch = event.touches[0];
    if (!touch || event.touches.length > 1) return this.cancel();
    const { clientX, clientY } = touch;
    if (this.#anchor === null) {
      const moved = this.#start ? Math.hypot(clientX - this.#start.x, clientY - this.#start.y) : STILL_PX;
      if (moved >= STILL_PX) clearTimeout(this.#timer);
      plot.moveCursorTo(clientX, clientY);
      return;
    }
    event.preventDefault(); // or the page would scroll under the selection
    this.#newest = plot.indexAt(clientX);
    plot.select(Math.min(this.#anchor, this.#newest), Math.max(this.#anchor, this.#newest));
  }

  end(event: TouchEvent, plot: TouchedPlot): void {
    const anchor = this.#anchor;
    this.cancel();
    if (anchor === null) return;
    event.preventDefault(); // no click follows
    const range = plot.select(Math.min(anchor, this.#newest), Math.max(anchor, this.#newest));
    plot.clearSelection();
    if (anchor !== this.#newest) this.#zoom(range);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#start = null;
    this.#anchor = null;
  }
}
