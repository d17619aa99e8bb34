import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";
import { ProcessIo } from "./process-io.ts";
import { ProcessTable } from "./process-table.ts";

test("what processes read and wrote is per second; idle ones are not read and did nothing; others' are unknown", (t) => {
  const proc = new ProcFixture(t, { uptime: "1000.0 1.0\n" });
  const scanner = new ProcScanner();
  const table = new ProcessTable({ procRoot: proc.root, pageBytes: 4096, scanner });
  t.after(() => table.close());
  const io = new ProcessIo(proc.root, scanner);
  const tick = (second: number, ticks: number): unknown[] => {
    for (const pid of [1, 2, 3]) proc.process(pid, { userTicks: ticks * pid, startTicks: 5 });
    table.tick(second * 1_000);
    io.tick(table, second * 1_000);
    return [1, 2, 3].map((pid) => {
      const known = table.get(pid);
      return known === undefined ? undefined : io.of(known);
    });
  };
  proc.io(1, 1_000, 0);
  proc.io(2, 0, 0);
  assert.deepEqual(tick(0, 1), [null, null, null], "one reading gives no rate");
  proc.io(1, 3_000, 500);
  const one = { readBytesPerSecond: 2_000, writeBytesPerSecond: 500 };
  const none = { readBytesPerSecond: 0, writeBytesPerSecond: 0 };
  assert.deepEqual(tick(1, 2), [one, none, null]);
  assert.deepEqual(tick(2, 2), [none, none, null]);
  proc.io(1, 4_000, 500);
  assert.deepEqual(
    tick(3, 3)[0],
    { readBytesPerSecond: 1_000, writeBytesPerSecond: 0 },
    "what it did since it woke belongs to this second",
  );
  proc.io(1, 10, 0);
  assert.equal(tick(4, 4)[0], null, "a counter that went back says nothing");
});
