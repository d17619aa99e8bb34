import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { BusiestProcesses } from "./busiest-processes.ts";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";
import { ProcessIo } from "./process-io.ts";
import { ProcessTable } from "./process-table.ts";

/** A host whose processes change second by second, and what is remembered of the busiest. */
class Host {
  readonly proc: ProcFixture;
  readonly busiest: BusiestProcesses;
  readonly #table: ProcessTable;
  readonly #io: ProcessIo;
  #second = 0;

  constructor(t: TestContext, limits: { seconds?: number; maxNamed?: number } = {}) {
    this.proc = new ProcFixture(t, { uptime: "1000.0 1.0\n" });
    const scanner = new ProcScanner();
    this.#table = new ProcessTable({ procRoot: this.proc.root, pageBytes: 4096, scanner });
    t.after(() => this.#table.close());
    this.#io = new ProcessIo(this.proc.root, scanner);
    const commandOf = ({ name }: { name: string }): string => name;
    this.busiest = new BusiestProcesses({ seconds: 60, commandOf, ...limits });
  }

  tick(): void {
    const monoMs = this.#second * 1_000;
    this.#table.tick(monoMs);
    this.#io.tick(this.#table, monoMs);
    this.busiest.note(100 + this.#second, this.#table, this.#io);
    this.#second++;
  }

  find(fromTsSec: number, toTsSec = fromTsSec): [command: string, cpuRatio: number, ioBytes: number][] {
    return this.busiest
      .between(fromTsSec, toTsSec)
      .map(({ command, cpuRatio, ioBytesPerSecond }) => [
        command,
        Number(cpuRatio.toFixed(3)),
        ioBytesPerSecond,
      ]);
  }
}

test("of each second the first five by CPU, averaged over the seconds asked for", (t) => {
  const host = new Host(t);
  for (let pid = 1; pid <= 7; pid++) host.proc.process(pid, { name: `p${pid}` });
  host.tick();
  for (let pid = 1; pid <= 7; pid++) host.proc.process(pid, { name: `p${pid}`, userTicks: pid * 10 });
  host.tick();
  host.tick();
  assert.deepEqual(host.find(100), []);
  assert.deepEqual(
    host.find(101).map(([command]) => command),
    ["p7", "p6", "p5", "p4", "p3"],
  );
  assert.deepEqual(host.find(101)[0], ["p7", 0.7, 0]);
  assert.deepEqual(host.find(101, 102)[0], ["p7", 0.35, 0]);
  assert.deepEqual(host.find(103, 200), []);
});

test("the first three by I/O as well, where it is readable", (t) => {
  const host = new Host(t);
  for (let pid = 1; pid <= 9; pid++) {
    host.proc.process(pid, { name: `p${pid}`, state: "D" });
    if (pid !== 9) host.proc.io(pid, 0, 0);
  }
  host.tick();
  for (let pid = 1; pid <= 8; pid++) host.proc.io(pid, pid * 1_000, pid * 100);
  host.tick();
  assert.deepEqual(host.find(101), [
    ["p8", 0, 8_800],
    ["p7", 0, 7_700],
    ["p6", 0, 6_600],
  ]);
});

test("whether a process is of an app's tree is told as it was then", (t) => {
  const host = new Host(t);
  host.proc.process(1, { name: "init", ppid: 0 });
  host.proc.process(10, { name: "app", ppid: 1 });
  host.proc.process(20, { name: "worker", ppid: 10, userTicks: 100 });
  host.tick();
  host.proc.remove("10");
  host.proc.process(20, { name: "worker", ppid: 1, userTicks: 200 });
  host.tick();
  const [then] = host.busiest.between(100, 100);
  const [later] = host.busiest.between(101, 101);
  assert.equal(then?.isOfTree(10), true);
  assert.equal(then?.isOfTree(20), true);
  assert.equal(then?.isOfTree(30), false);
  assert.equal(later?.isOfTree(10), false);
});

test("a reused pid is another process", (t) => {
  const host = new Host(t);
  host.proc.process(7, { name: "app", startTicks: 50, userTicks: 1 });
  host.tick();
  host.proc.process(7, { name: "app", startTicks: 99_950, userTicks: 50 });
  host.tick();
  const starts = host.busiest.between(100, 101).map(({ startTicks }) => startTicks);
  assert.deepEqual(starts, [99_950, 50]);
});

test("the last seconds are kept, those before go", (t) => {
  const host = new Host(t, { seconds: 3 });
  for (let second = 0; second < 5; second++) {
    host.proc.process(7, { userTicks: (second + 1) * 10 });
    host.tick();
  }
  assert.deepEqual(host.find(101), []);
  assert.deepEqual(host.find(102, 104), [["app", 0.1, 0]]);
});

test("a host with more different processes than can be named keeps fewer seconds, the newest", (t) => {
  const host = new Host(t, { maxNamed: 12 });
  for (let second = 0; second < 30; second++) {
    if (second > 0) host.proc.remove(String(1_000 + second - 1));
    host.proc.process(1_000 + second, { name: `cc${second}`, startTicks: 99_990, userTicks: 10 });
    host.tick();
  }
  assert.deepEqual(host.find(100, 120), []);
  assert.deepEqual(host.find(129), [["cc29", 0.1, 0]]);
  assert.equal(host.find(100, 200).length, 5, "12, less the room for one more second");
});
