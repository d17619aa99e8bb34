import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Range } from "../app/time-range.ts";
import { TouchSelection } from "./touch-selection.ts";

/** A plot of one bucket a pixel, and what was done to it. */
function plotted() {
  const seen = { selected: [] as [number, number][], cursor: 0, zoomed: [] as Range[], prevented: 0 };
  const plot = {
    indexAt: (clientX: number): number => clientX,
    moveCursorTo: (): void => void seen.cursor++,
    select: (first: number, last: number): Range => {
      seen.selected.push([first, last]);
      return { fromMs: first, toMs: last + 1 };
    },
    clearSelection: (): void => undefined,
  };
  const touch = (...places: [number, number][]): TouchEvent =>
    ({
      touches: places.map(([clientX, clientY]) => ({ clientX, clientY })),
      preventDefault: () => seen.prevented++,
    }) as unknown as TouchEvent;
  return { seen, plot, touch, selection: new TouchSelection((range) => seen.zoomed.push(range)) };
}

test("a drag without a long press selects nothing and leaves scrolling to the browser", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { seen, plot, touch, selection } = plotted();
  selection.start(touch([50, 10]), plot);
  mock.timers.tick(449);
  selection.move(touch([50, 30]), plot);
  mock.timers.tick(1000);
  selection.move(touch([90, 30]), plot);
  selection.end(touch(), plot);
  assert.deepEqual(seen.selected, []);
  assert.deepEqual(seen.zoomed, []);
  assert.equal(seen.prevented, 0);
  assert.equal(seen.cursor, 2);
  mock.timers.reset();
});

test("after a long press a drag selects in both directions, and lifting the finger zooms", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { seen, plot, touch, selection } = plotted();
  selection.start(touch([50, 10]), plot);
  mock.timers.tick(450);
  assert.ok(selection.isSelecting);
  selection.move(touch([20, 15]), plot);
  selection.end(touch(), plot);
  assert.deepEqual(seen.zoomed, [{ fromMs: 20, toMs: 51 }]);
  assert.equal(seen.prevented, 2);
  assert.equal(selection.isSelecting, false);
  mock.timers.reset();
});

test("a second finger, or a press without a drag, zooms nothing", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { seen, plot, touch, selection } = plotted();
  selection.start(touch([50, 10]), plot);
  mock.timers.tick(450);
  selection.move(touch([60, 10], [80, 10]), plot);
  selection.end(touch(), plot);
  selection.start(touch([50, 10]), plot);
  mock.timers.tick(450);
  selection.end(touch(), plot);
  assert.deepEqual(seen.zoomed, []);
  mock.timers.reset();
});
