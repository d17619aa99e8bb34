import assert from "node:assert/strict";
import { test } from "node:test";
import { axisLabels, logMarks } from "./unit.ts";

test("one axis has one unit, chosen by its largest mark", () => {
  assert.deepEqual(axisLabels("ms", [0, 100, 200]), ["0 ms", "100 ms", "200 ms"]);
  assert.deepEqual(axisLabels("ms", [0, 500, 1000]), ["0.0 s", "0.5 s", "1.0 s"]);
  assert.deepEqual(axisLabels("ms", [0, 0.2, 0.4]), ["0 µs", "200 µs", "400 µs"]);
  assert.deepEqual(axisLabels("ratio", [0, 0.25, 0.5]), ["0%", "25%", "50%"]);
  assert.deepEqual(axisLabels("ratio", [0, 0.005, 0.01]), ["0.0%", "0.5%", "1.0%"]);
  assert.deepEqual(axisLabels("count", [0, 2500, 5000]), ["0.0k", "2.5k", "5.0k"]);
  assert.deepEqual(axisLabels("bytes", [0, 2 ** 31, 2 ** 32]), ["0 GiB", "2 GiB", "4 GiB"]);
});

test("an axis without marks or with zeros only has labels all the same", () => {
  assert.deepEqual(axisLabels("count", []), []);
  assert.deepEqual(axisLabels("ms", [0]), ["0 µs"]);
});

test("logarithmic marks enclose the data", () => {
  assert.deepEqual(logMarks(150, 900), [100, 200, 500, 1000]);
  assert.deepEqual(logMarks(0.3, 0.3), [0.2, 0.5]);
  assert.deepEqual(logMarks(1, 1), [1, 2]);
  assert.deepEqual(logMarks(100, 1000), [100, 200, 500, 1000]);
});
