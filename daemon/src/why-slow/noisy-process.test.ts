import assert from "node:assert/strict";
import { test } from "node:test";
import { type BusyProcess, noisyProcess } from "./noisy-process.ts";

const START_MS = 1_790_000_000_500;
const APP = 10;

function busy(pid: number, cpuRatio: number, changes: Partial<BusyProcess> = {}): BusyProcess {
  return {
    pid,
    command: `p${pid}`,
    cpuRatio,
    ioBytesPerSecond: 0,
    isOfTree: (root) => root === pid,
    ...changes,
  };
}

function noisiest(
  before: BusyProcess[],
  during: BusyProcess[],
  noise: "cpuRatio" | "ioBytesPerSecond" = "cpuRatio",
) {
  const asked: [number, number][] = [];
  const host = {
    busiest(from: number, to: number) {
      asked.push([from, to]);
      return to < START_MS / 1_000 - 1 ? before : during;
    },
  };
  const found = noisyProcess(host, noise, START_MS, START_MS + 2_000, APP);
  assert.deepEqual(asked, [
    [1_789_999_940, 1_789_999_999],
    [1_790_000_000, 1_790_000_002],
  ]);
  return found;
}

test("it is the one that took more than before, not the one that always takes much", () => {
  const found = noisiest([busy(1, 0.9)], [busy(1, 0.9), busy(2, 0.4), busy(3, 0.3)]);
  assert.deepEqual(found, { pid: 2, command: "p2", cpuRatio: 0.4 });
});

test("the app and what it started are no neighbours", () => {
  const child = busy(11, 0.9, { isOfTree: (root) => root === APP });
  assert.equal(noisiest([], [busy(APP, 1), child]), null);
});

test("a little is no noise", () => {
  assert.equal(noisiest([], [busy(2, 0.12)]), null);
  assert.equal(noisiest([], [busy(2, 0.13)])?.pid, 2);
});

test("disks have noisy processes of their own", () => {
  const writer = busy(4, 0.02, { ioBytesPerSecond: 90_000_000 });
  assert.equal(noisiest([], [busy(2, 0.9), writer], "ioBytesPerSecond")?.pid, 4);
});
