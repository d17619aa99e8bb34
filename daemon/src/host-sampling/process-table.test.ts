import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";
import { ProcessTable, type ProcessTableOptions } from "./process-table.ts";

function tableOf(t: TestContext, proc: ProcFixture, more: Partial<ProcessTableOptions> = {}): ProcessTable {
  proc.write("uptime", "1000.00 1900.00\n");
  const options = { procRoot: proc.root, pageBytes: 4096, scanner: new ProcScanner(), ...more };
  const table = new ProcessTable(options);
  t.after(() => table.close());
  return table;
}

const pidsOf = (table: ProcessTable): number[] =>
  [...table.all()].map(({ pid }) => pid).sort((a, b) => a - b);

test("a share is that between two passes; memory, threads, parent and state come with it", (t) => {
  const proc = new ProcFixture(t);
  proc.process(42, { name: "shop", userTicks: 1000, systemTicks: 500 });
  const table = tableOf(t, proc, { maxOpenFiles: 8 });
  table.tick(0);
  const now = {
    name: "shop",
    userTicks: 1020,
    systemTicks: 530,
    threads: 11,
    rssPages: 3,
    ppid: 7,
    state: "D",
  };
  proc.process(42, now);
  table.tick(1_000);
  const { pid, startTicks, name, cpuRatio, rssBytes, threads, ppid, state } = table.get(42) ?? {};
  assert.deepEqual(
    { pid, startTicks, name, cpuRatio, rssBytes, threads, ppid, state },
    {
      pid: 42,
      startTicks: 100,
      name: "shop",
      cpuRatio: 0.5,
      rssBytes: 12_288,
      threads: 11,
      ppid: 7,
      state: "D",
    },
  );
});

test("at first sight a share is the average since the process began, but not of a time before the last pass", (t) => {
  const proc = new ProcFixture(t);
  proc.process(42, { userTicks: 1000, startTicks: 98_000 });
  const table = tableOf(t, proc);
  table.tick(0);
  assert.equal(table.get(42)?.cpuRatio, 0.5);
  proc.process(43, { userTicks: 10, startTicks: 99_990 });
  table.tick(1_000);
  assert.equal(table.get(43)?.cpuRatio, 0.1, "it was there for a tenth of the second");
});

test("the long share is over the last ten to twenty seconds", (t) => {
  const proc = new ProcFixture(t);
  const table = tableOf(t, proc);
  for (let second = 0; second <= 29; second++) {
    proc.process(42, { userTicks: second <= 15 ? 0 : (second - 15) * 100 });
    table.tick(second * 1_000);
  }
  assert.equal(table.get(42)?.cpuRatio, 1);
  assert.equal(table.get(42)?.longRatio, 14 / 19, "14 s of CPU in the 19 s since the tenth");
});

for (const maxOpenFiles of [0, 8]) {
  test(`with ${maxOpenFiles} open files a reused pid is another process`, (t) => {
    const proc = new ProcFixture(t);
    proc.process(42, { userTicks: 90_000, startTicks: 100 });
    const table = tableOf(t, proc, { maxOpenFiles });
    table.tick(0);
    proc.process(42, { name: "new", userTicks: 100, startTicks: 99_900 });
    table.tick(1_000);
    assert.equal(table.get(42)?.name, "new");
    assert.equal(table.get(42)?.cpuRatio, 1);
  });
}

test("a process that is followed through a program it starts gets that one's name", (t) => {
  const proc = new ProcFixture(t);
  proc.process(42, { name: "sh" });
  const table = tableOf(t, proc);
  table.tick(0);
  proc.process(42, { name: "node" });
  table.tick(1_000);
  assert.equal(table.get(42)?.name, "node");
});

test("names with spaces, brackets and numbers do not shift the columns", (t) => {
  const proc = new ProcFixture(t);
  proc.process(42, { name: "a) S 1 (b 7", rssPages: 5, threads: 4 });
  const table = tableOf(t, proc);
  table.tick(0);
  assert.equal(table.get(42)?.name, "a) S 1 (b 7");
  assert.equal(table.get(42)?.rssBytes, 20_480);
  assert.equal(table.get(42)?.threads, 4);
});

test("processes that went, vanish between listing and reading, or cannot be understood are left out", (t) => {
  const proc = new ProcFixture(t, {
    "9/stat": "9 (cut) S 1 9 9 0\n",
    "10/stat": "garbage\n",
    "11/status": "",
    "12/stat": "",
  });
  proc.process(42);
  const table = tableOf(t, proc, { maxOpenFiles: 8 });
  table.tick(0);
  assert.deepEqual(pidsOf(table), [42]);
  assert.equal(table.coverage.processes, 5);
  proc.remove("42");
  table.tick(1_000);
  assert.deepEqual(pidsOf(table), []);
});

test("no more files stay open than allowed, and none of processes that went", {
  skip: process.platform !== "linux",
}, (t) => {
  const proc = new ProcFixture(t);
  for (const pid of [1, 2, 3, 4]) proc.process(pid);
  const table = tableOf(t, proc, { maxOpenFiles: 6 });
  const openFiles = (): number =>
    readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).endsWith("/stat");
      } catch {
        return false;
      }
    }).length;
  const before = openFiles();
  table.tick(0);
  assert.equal(openFiles() - before, 3);
  for (const pid of [1, 2, 3]) proc.remove(String(pid));
  table.tick(1_000);
  table.tick(2_000);
  assert.equal(openFiles() - before, 1);
  table.close();
  assert.equal(openFiles() - before, 0);
});

/** A table that knows process 10, which sleeps, and the pages of memory that it has for it after each pass. */
function sleeperOf(
  t: TestContext,
  { threads = 1, self = [1, 1] }: { threads?: number; self?: [number, number] },
): { proc: ProcFixture; rssAfter: (rssPages: number) => number | undefined } {
  const proc = new ProcFixture(t);
  proc.ran("self", ...self);
  proc.ran(10, 5_000, 3);
  const show = (rssPages: number): void => proc.process(10, { threads, rssPages });
  show(1);
  const table = tableOf(t, proc, { maxOpenFiles: 4 });
  let pass = 0;
  const rssAfter = (rssPages: number): number | undefined => {
    show(rssPages);
    table.tick(1_000 * pass++);
    return (table.get(10)?.rssBytes ?? Number.NaN) / 4_096;
  };
  for (let i = 0; i < 3; i++) rssAfter(1);
  return { proc, rssAfter };
}

test("a process that has not run is not read again, for ten seconds at most", (t) => {
  const { proc, rssAfter } = sleeperOf(t, {});
  assert.equal(rssAfter(2), 1);
  proc.ran(10, 5_001, 4);
  assert.equal(rssAfter(2), 2, "it ran");
  assert.equal(rssAfter(3), 2);
  // Its pid and the number of the pass decide: the tenth.
  const seen = [6, 7, 8, 9, 10].map(() => rssAfter(4));
  assert.deepEqual(seen, [2, 2, 2, 4, 4]);
});

test("one that ended while it slept is noticed, and so is its pid's next process", (t) => {
  const proc = new ProcFixture(t);
  proc.ran("self", 1, 1);
  proc.ran(10, 5_000, 3);
  proc.process(10);
  const table = tableOf(t, proc, { maxOpenFiles: 4 });
  for (const second of [0, 1, 2]) table.tick(1_000 * second);
  proc.remove("10");
  table.tick(3_000);
  assert.deepEqual(pidsOf(table), []);
  proc.ran(10, 7_000, 5);
  proc.process(10, { name: "next", startTicks: 7 });
  table.tick(4_000);
  assert.equal(table.get(10)?.name, "next");
});

test("all are read each second where the kernel does not count runs, and those whose other threads may run", (t) => {
  assert.equal(sleeperOf(t, { self: [0, 0] }).rssAfter(2), 2);
  assert.equal(sleeperOf(t, { threads: 2 }).rssAfter(2), 2);
});

test("above the reads of a pass the busy are read each second and the idle in turns, and the coverage says so", (t) => {
  const proc = new ProcFixture(t);
  for (let pid = 1; pid <= 10; pid++) proc.process(pid);
  const table = tableOf(t, proc, { readsPerPass: 4 });
  for (let second = 0; second < 4; second++) table.tick(second * 1_000);
  assert.equal(pidsOf(table).length, 10, "new ones are found however many there are");
  for (let second = 4; second < 10; second++) {
    proc.process(7, { userTicks: second * 10 });
    table.tick(second * 1_000);
  }
  assert.equal(table.get(7)?.cpuRatio, 0.1);
  assert.equal(table.get(7)?.monoMs, 9_000);
  assert.deepEqual(table.coverage, { processes: 10, read: 4, unlisted: 0, idleEverySec: 3 });
  const oldest = Math.min(...[...table.all()].map(({ monoMs }) => monoMs));
  assert.ok(oldest >= 7_000, `one was last read at ${oldest}`);
});

test("while the kernel gave out no pid there is nothing to list, and what went is noticed by itself", (t) => {
  const proc = new ProcFixture(t, { loadavg: "0.1 0.1 0.1 1/99 42\n" });
  proc.process(41);
  proc.process(42);
  const table = tableOf(t, proc);
  table.tick(0);
  proc.process(43);
  proc.remove("41");
  table.tick(1_000);
  assert.deepEqual(pidsOf(table), [42], "43 is not seen: its fixture did not say that it began");
  proc.write("loadavg", "0.1 0.1 0.1 1/99 43\n");
  table.tick(2_000);
  assert.deepEqual(pidsOf(table), [42, 43]);
  proc.process(44);
  for (let second = 3; second < 13; second++) table.tick(second * 1_000);
  assert.deepEqual(pidsOf(table), [42, 43, 44], "a pid that came around is found a little later");
});

test("ancestors are the parents up to the first, and a loop of them ends", (t) => {
  const proc = new ProcFixture(t);
  proc.process(1, { ppid: 0 });
  proc.process(10, { ppid: 1 });
  proc.process(20, { ppid: 10 });
  proc.process(31, { ppid: 32 });
  proc.process(32, { ppid: 31 });
  const table = tableOf(t, proc);
  table.tick(0);
  assert.deepEqual(table.ancestors(20), [10, 1]);
  assert.deepEqual(table.ancestors(31), [32, 31]);
  assert.deepEqual(table.ancestors(99), []);
});

test("a /proc that cannot be listed is an error, and nobody is there", () => {
  const table = new ProcessTable({ procRoot: "/nonexistent", pageBytes: 4096, scanner: new ProcScanner() });
  assert.throws(() => table.tick(0), /ENOENT/);
  assert.deepEqual(pidsOf(table), []);
});
