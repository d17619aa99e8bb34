import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { type TestContext, test } from "node:test";
import type { ProcessState } from "@apm-daemon/protocol";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";
import { ProcessIo } from "./process-io.ts";
import { ProcessTable } from "./process-table.ts";
import { TopProcesses } from "./top-processes.ts";

function topOf(t: TestContext, proc: ProcFixture): ProcessState[] {
  proc.write("uptime", "1000.00 1900.00\n");
  proc.write("passwd", `me:x:${userInfo().uid}:0::/:/bin/sh\n`);
  const table = new ProcessTable({ procRoot: proc.root, pageBytes: 4096, scanner: new ProcScanner() });
  t.after(() => table.close());
  const io = new ProcessIo(proc.root, new ProcScanner());
  table.tick(0);
  for (const second of [0, 1]) io.tick(table, second * 1_000);
  return new TopProcesses({ procRoot: proc.root, passwdFile: `${proc.root}/passwd` }).top(
    table,
    io,
    "longRatio",
  );
}

test("user, command, memory and threads come with the share", (t) => {
  const proc = new ProcFixture(t);
  proc.process(42, { name: "shop", userTicks: 1000, startTicks: 98_000, threads: 11, rssPages: 3 });
  assert.deepEqual(topOf(t, proc), [
    { pid: 42, user: "me", command: "shop", cpuRatio: 0.5, rssBytes: 12_288, threads: 11 },
  ]);
});

test("open files and I/O come with it where they are readable", (t) => {
  const proc = new ProcFixture(t);
  proc.process(42, { userTicks: 1000 });
  proc.io(42, 1, 2);
  for (const fd of [0, 1, 2]) proc.write(`42/fd/${fd}`, "");
  const [shown] = topOf(t, proc);
  assert.ok((shown?.openFds ?? 0) >= 3, "some file systems say the size of a folder in bytes");
  assert.equal(shown?.ioReadBytesPerSecond, 0);
  assert.equal(shown?.ioWriteBytesPerSecond, 0);
});

test("ten by CPU and ten by memory, each once", (t) => {
  const proc = new ProcFixture(t);
  for (let i = 1; i <= 30; i++)
    proc.process(i, { userTicks: i <= 15 ? i * 100 : 0, rssPages: i >= 15 ? i : 1 });
  const pids = topOf(t, proc).map(({ pid }) => pid);
  assert.deepEqual(pids.slice(0, 10), [15, 14, 13, 12, 11, 10, 9, 8, 7, 6]);
  assert.deepEqual(pids.slice(10), [30, 29, 28, 27, 26, 25, 24, 23, 22, 21]);
});
