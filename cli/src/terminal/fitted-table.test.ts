import assert from "node:assert/strict";
import { test } from "node:test";
import { bar } from "./bar.ts";
import { fittedLine } from "./fitted-line.ts";
import { type FittedColumn, fittedTable } from "./fitted-table.ts";
import { noPaint } from "./paint.ts";
import { textWidth } from "./text-width.ts";

type Row = readonly [name: string, count: string, more: string];

const COLUMNS: readonly FittedColumn<Row>[] = [
  { title: "name", align: "left", cells: 4, isFlexible: true, dropOrder: 0, text: ([name]) => name },
  { title: "n", align: "right", cells: 3, dropOrder: 0, text: ([, count]) => count },
  { title: "more", align: "right", cells: 4, dropOrder: 1, text: ([, , more]) => more },
];
const ROWS: readonly Row[] = [
  ["订单查询服务", "1", "x"],
  ["a", "12345", "yy"],
];

test("the flexible column takes what is left, numbers stand below one another", () => {
  assert.deepEqual(fittedTable(COLUMNS, ROWS, 24, noPaint), [
    "name              n more",
    "订单查询服务      1    x",
    "a             12345   yy",
  ]);
});

test("where there is no room columns go, then the flexible one is cut", () => {
  assert.deepEqual(fittedTable(COLUMNS, ROWS, 14, noPaint), [
    "name         n",
    "订单查…      1",
    "a        12345",
  ]);
  assert.deepEqual(fittedTable(COLUMNS, ROWS, 10, noPaint), ["name     n", "订…      1", "a    12345"]);
  for (let cells = 10; cells < 40; cells++)
    for (const line of fittedTable(COLUMNS, ROWS, cells, noPaint)) assert.ok(textWidth(line) <= cells, line);
});

test("a line has as many pieces as fit, and the first in any case", () => {
  const pieces = [{ text: "one" }, { text: "two" }, { text: "three" }];
  assert.equal(fittedLine(pieces, 15), "one  two  three");
  assert.equal(fittedLine(pieces, 14), "one  two");
  assert.equal(fittedLine(pieces, 2), "o…");
});

test("a bar is as long as its parts together, never longer than its place", () => {
  const of = (...ratios: number[]): string =>
    bar(
      ratios.map((ratio, i) => ({ ratio, letter: "ab"[i] ?? "c", style: "red" })),
      12,
      noPaint,
    );
  assert.equal(of(0.5, 0.25), "[aaaaabbb  ]");
  assert.equal(of(0.04, 0.04), "[b         ]", "parts too small to be seen add up");
  assert.equal(of(0.9, 0.9), "[aaaaaaaaab]");
  assert.equal(of(-1, Number.NaN), "[          ]");
});
