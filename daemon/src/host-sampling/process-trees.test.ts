import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";
import { ProcessTable } from "./process-table.ts";
import { processTrees } from "./process-trees.ts";

test("descendants count for the nearest app above them, instances for none, strangers and loops for nobody", (t) => {
  const proc = new ProcFixture(t, { uptime: "1000.0 1.0\n" });
  const parents = { 1: 0, 10: 1, 11: 10, 12: 11, 13: 10, 20: 10, 21: 20, 30: 1, 40: 41, 41: 40, 50: 1 };
  const write = (ticks: number): void => {
    for (const [pid, ppid] of Object.entries(parents))
      proc.process(Number(pid), { ppid, rssPages: Number(pid), userTicks: ticks });
  };
  write(0);
  const table = new ProcessTable({ procRoot: proc.root, pageBytes: 1_000, scanner: new ProcScanner() });
  t.after(() => table.close());
  table.tick(0);
  write(25);
  table.tick(1_000);
  const trees = processTrees(table, new Set([10, 20, 50, 999]));
  assert.deepEqual(
    [...trees].sort(([a], [b]) => a - b),
    [
      [10, { processes: 3, cpuRatio: 0.75, rssBytes: 36_000 }],
      [20, { processes: 1, cpuRatio: 0.25, rssBytes: 21_000 }],
    ],
  );
});
