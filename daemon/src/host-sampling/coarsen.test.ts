import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostMetric } from "@apm-daemon/protocol";
import { coarsen } from "./coarsen.ts";

function metric(name: string, combined: HostMetric["combined"]): HostMetric {
  return { name, unit: "1", sentence: "", combined };
}

const METRICS = [metric("mean", "mean"), metric("sum", "sum"), metric("max", "max")];
const TABLE = {
  tsSec: [8, 10, 11, 14, 15, 16],
  columns: {
    mean: [7, 1, null, 2, null, null],
    sum: [7, 1, null, 2, null, null],
    max: [7, 1, null, 2, null, null],
  },
};

test("means of gauges, sums of counts, the highest of peaks; seconds without a value count for nothing", () => {
  assert.deepEqual(coarsen(TABLE, METRICS, 5), {
    tsSec: [8, 10, 15],
    columns: { mean: [7, 1.5, null], sum: [7, 3, null], max: [7, 2, null] },
  });
});

test("a resolution of one second changes nothing", () => {
  assert.deepEqual(coarsen(TABLE, METRICS, 1), TABLE);
});
