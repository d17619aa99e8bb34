import assert from "node:assert/strict";
import { test } from "node:test";
import { highestIn, laneRows, missingRuns, touchedSteps, usualBefore } from "./lane-rows.ts";

const LANE = {
  host: "web-1",
  from: 0,
  to: 4_000,
  t0: 0,
  stepMs: 1_000,
  busiest: [],
  cols: {
    cpuUserRatio: [0.2, 0.5, null, 0.1],
    cpuStealRatio: [0, 0.4, null, 0],
    cpuIowaitRatio: [0.1, 0, null, 0],
    psiIoSomeRatio: [null, null, null, null],
    procsRunnable: [1, 8, null, 2],
  },
  process: {
    app: "shop",
    pid: 1,
    cols: { cpuRatio: [0.5, 1.5, 1, null], gcPauseMs: [null, 50, null, null] },
  },
};

test("rows without any value are left out, and waiting for disks is no busy CPU", () => {
  const rows = laneRows(LANE);
  assert.deepEqual(
    rows.map(({ key }) => key),
    ["cpu", "runnable", "appCpu", "gc"],
  );
  assert.deepEqual(
    rows[0]?.values.map((value) => (value === null ? null : Math.round(value * 10))),
    [2, 9, null, 1],
  );
});

test("a row is as high as its highest value, at least as a measure of an idle host", () => {
  const [, runnable, appCpu, gc] = laneRows(LANE);
  assert.deepEqual(runnable?.layers[0]?.heights, [1 / 8, 1, null, 2 / 8]);
  assert.deepEqual(appCpu?.layers[0]?.heights, [0.5 / 1.5, 1, 1 / 1.5, null]);
  assert.deepEqual(gc?.layers[0]?.heights, [null, 0.5, null, null]);
});

test("what did not arrive is a run of its source's seconds, not of seconds in which something was not watched", () => {
  const [cpu, , , gc] = laneRows(LANE);
  assert.deepEqual([cpu?.missing, gc?.missing], [[[2, 3]], [[3, 4]]]);
  assert.deepEqual(
    missingRuns([
      [null, null, 1],
      [null, null, null],
    ]),
    [[0, 2]],
  );
});

test("a request touches each second of which it has a part", () => {
  const lane = { t0: 10_000, stepMs: 1_000 };
  assert.deepEqual(touchedSteps(lane, 11_900, 12_100), { first: 1, last: 2 });
  assert.deepEqual(touchedSteps(lane, 11_000, 12_000), { first: 1, last: 1 });
  assert.deepEqual(touchedSteps(lane, 11_500, 11_500), { first: 1, last: 1 });
  assert.equal(highestIn([9, 1, 3, null, 8], lane, 11_900, 13_100), 3);
  assert.equal(highestIn([9, 1, 3, null, 8], lane, 13_100, 13_200), null);
});

test("usual is the middle of the seconds before, if there are five", () => {
  const lane = { t0: 0, stepMs: 1_000 };
  assert.equal(usualBefore([5, 1, 2, null, 3, 4, 90], lane, 6_500), 3);
  assert.equal(usualBefore([5, 1, 2, null, 3, 90], lane, 5_500), null);
});
