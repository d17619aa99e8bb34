import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeatmapAnswer } from "../../data/answers.ts";
import { LatencyScale } from "./latency-scale.ts";
import { parseSelection, selectionText } from "./selection-text.ts";

/** Ten columns of 10 s, rows of a doubling from 1 to 16 ms, and one beyond. */
const MAP: HeatmapAnswer = {
  from: 1_000_000,
  to: 1_100_000,
  t0: 1_000_000,
  stepMs: 10_000,
  requests: 1,
  rows: [...[0, 1, 2, 3].map((i) => ({ fromMs: 2 ** i, toMs: 2 ** (i + 1) })), { fromMs: 16, toMs: null }],
  cells: { column: [0], row: [0], requests: [1] },
  reported: Array.from({ length: 10 }, () => true),
};
const scale = new LatencyScale(MAP, 58 + 8 + 100, 4 + 20 + 14 + 4 + 80);

test("cells fill the plot, and the one beyond the axis stands apart on top", () => {
  assert.deepEqual(scale.boxOf({ column: 0, row: 0 }), { x: 58, y: 82, width: 10, height: 20 });
  assert.deepEqual(scale.boxOf({ column: 9, row: 3 }), { x: 148, y: 22, width: 10, height: 20 });
  assert.deepEqual(scale.boxOf({ column: 0, row: 4 }), { x: 58, y: 4, width: 10, height: 14 });
  assert.deepEqual(scale.boxOf({ column: 2, row: 1 }, { column: 0, row: 3 }), {
    x: 58,
    y: 22,
    width: 30,
    height: 60,
  });
});

test("a point is in the cell that is drawn there; outside it is the nearest", () => {
  assert.deepEqual(scale.cellAt(59, 101), { column: 0, row: 0 });
  assert.deepEqual(scale.cellAt(157, 23), { column: 9, row: 3 });
  assert.deepEqual(scale.cellAt(157, 10), { column: 9, row: 4 });
  assert.deepEqual(scale.cellAt(-5, 999), { column: 0, row: 0 });
});

test("a rectangle means whole columns and rows, without limit with the row beyond the axis", () => {
  const selected = scale.selected({ column: 3, row: 4 }, { column: 1, row: 2 });
  assert.deepEqual(selected, { fromMs: 1_010_000, toMs: 1_040_000, minMs: 4, maxMs: null });
  assert.deepEqual(scale.boxOfSelected(selected), { x: 68, y: 4, width: 30, height: 58 });
  const beyond = scale.selected({ column: 0, row: 4 }, { column: 0, row: 4 });
  assert.deepEqual(scale.boxOfSelected(beyond), { x: 58, y: 4, width: 10, height: 14 });
});

test("durations lie on a log axis, those beyond it in their row", () => {
  assert.equal(Math.round(scale.yOf(4)), 62);
  assert.equal(scale.yOf(5_000), 11);
  assert.equal(scale.yOf(0.1), 102);
});

test("a selection survives the address", () => {
  const selected = { fromMs: 1_795_420_800_000, toMs: 1_795_420_810_000, minMs: 512, maxMs: 724.1 };
  assert.equal(selectionText(selected), "1795420800000,1795420810000,512,724.1");
  assert.deepEqual(parseSelection(selectionText(selected)), selected);
  assert.deepEqual(parseSelection(selectionText({ ...selected, maxMs: null }))?.maxMs, null);
  for (const text of [
    null,
    "",
    "1,2,3,4",
    "1795420810000,1795420800000,1,2",
    "1795420800000,1795420810000,5,5",
    "x",
  ])
    assert.equal(parseSelection(text), null, String(text));
});
