import assert from "node:assert/strict";
import { test } from "node:test";
import { Cpu } from "./cpu.ts";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcScanner } from "./proc-scanner.ts";

function stat(
  cpu: string,
  cores: string[] = [],
  rest = "ctxt 1000\nbtime 1795421253\nprocesses 50\n",
): string {
  const lines = cores.map((ticks, i) => `cpu${i} ${ticks}\n`).join("");
  const running = "procs_running 3\nprocs_blocked 1\nsoftirq 1 2 3\n";
  return `cpu  ${cpu}\n${lines}intr 300198 ${"0 ".repeat(400)}\n${rest}${running}`;
}

function sampleTwice(proc: ProcFixture, before: string, now: string): ReturnType<Cpu["sample"]> {
  const cpu = new Cpu(proc.root, new ProcScanner());
  proc.write("stat", before);
  cpu.sample(Number.NaN);
  proc.write("stat", now);
  return cpu.sample(1);
}

test("the first sample has states but no shares or rates", (t) => {
  const proc = new ProcFixture(t, { stat: stat("100 0 100 800 0 0 0 0 0 0") });
  const values = new Cpu(proc.root, new ProcScanner()).sample(Number.NaN);
  assert.equal(values.procsRunnable, 3);
  assert.equal(values.procsBlocked, 1);
  assert.equal(values.cpuUserRatio, null);
  assert.equal(values.cpuIdleRatio, null);
  assert.equal(values.contextSwitchesPerSecond, null);
});

test("shares are of all ticks between two samples, guest time counted once", (t) => {
  const values = sampleTwice(
    new ProcFixture(t),
    stat("1000 100 500 8000 50 10 20 30 400 40"),
    stat("1080 110 540 8040 60 12 28 40 470 45", [], "ctxt 1500\nbtime 1\nprocesses 57\n"),
  );
  assert.deepEqual(values, {
    cpuUserRatio: 80 / 200,
    cpuSystemRatio: 40 / 200,
    cpuNiceRatio: 10 / 200,
    cpuIowaitRatio: 10 / 200,
    cpuIrqRatio: 2 / 200,
    cpuSoftirqRatio: 8 / 200,
    cpuStealRatio: 10 / 200,
    cpuIdleRatio: 40 / 200,
    procsRunnable: 3,
    procsBlocked: 1,
    contextSwitchesPerSecond: 500,
    forksPerSecond: 7,
  });
});

test("a kernel without the steal column has no steal share, and the others sum to 1", (t) => {
  const values = sampleTwice(new ProcFixture(t), stat("0 0 0 0 0 0 0"), stat("50 0 25 25 0 0 0"));
  assert.equal(values.cpuStealRatio, null);
  assert.equal(values.cpuUserRatio, 0.5);
  assert.equal(values.cpuIdleRatio, 0.25);
});

test("idle and iowait that go back a little count as nothing", (t) => {
  const values = sampleTwice(new ProcFixture(t), stat("10 0 0 100 50 0 0 0"), stat("90 0 20 99 47 0 0 0"));
  assert.equal(values.cpuIdleRatio, 0);
  assert.equal(values.cpuIowaitRatio, 0);
  assert.equal(values.cpuUserRatio, 0.8);
});

test("a reset of the counters gives no shares for that second", (t) => {
  const values = sampleTwice(new ProcFixture(t), stat("900 0 100 800 0 0 0 0"), stat("10 0 5 900 0 0 0 0"));
  assert.equal(values.cpuUserRatio, null);
  assert.equal(values.cpuIdleRatio, null);
});

test("steal that a hypervisor lets wrap to nearly 2^64 gives no shares", (t) => {
  const values = sampleTwice(
    new ProcFixture(t),
    stat("0 0 0 0 0 0 0 5"),
    stat("50 0 0 50 0 0 0 18446744073709551615"),
  );
  assert.equal(values.cpuStealRatio, null);
  assert.equal(values.cpuUserRatio, null);
});

test("no progress gives no shares rather than a division by zero", (t) => {
  const values = sampleTwice(new ProcFixture(t), stat("1 2 3 4 5 6 7 8"), stat("1 2 3 4 5 6 7 8"));
  assert.equal(values.cpuUserRatio, null);
});

test("a file cut in the middle gives what came before the cut", (t) => {
  const whole = stat("1080 110 540 8040 60 12 28 40");
  const values = sampleTwice(new ProcFixture(t), stat("1000 100 500 8000 50 10 20 30"), whole.slice(0, 120));
  assert.equal(values.cpuUserRatio, 80 / 200);
  assert.equal(values.procsRunnable, null);
  assert.equal(values.contextSwitchesPerSecond, null);
});

test("after a file that was missing for a second no rate spans the gap", (t) => {
  const proc = new ProcFixture(t);
  sampleTwice(proc, stat("1000 100 500 8000 50 10 20 30"), "");
  const cpu = new Cpu(proc.root, new ProcScanner());
  proc.write("stat", stat("100 0 0 0 0 0 0 0"));
  cpu.sample(1);
  proc.write("stat", "");
  assert.equal(cpu.sample(1).procsRunnable, null);
  proc.write("stat", stat("300 0 0 0 0 0 0 0"));
  const values = cpu.sample(1);
  assert.equal(values.cpuUserRatio, null);
  assert.equal(values.contextSwitchesPerSecond, null);
  assert.equal(values.procsRunnable, 3);
});

test("each core's busy share is since the last call; a core that came online waits for the next", (t) => {
  const proc = new ProcFixture(t, { stat: stat("0 0 0 0 0 0 0 0", ["0 0 0 0 0 0 0 0"]) });
  const cpu = new Cpu(proc.root, new ProcScanner());
  assert.deepEqual(cpu.coreBusyRatios(), []);
  proc.write("stat", stat("0 0 0 0 0 0 0 0", ["50 0 25 20 5 0 0 0", "7 0 0 7 0 0 0 0"]));
  assert.deepEqual(cpu.coreBusyRatios(), [0.75]);
  proc.write("stat", stat("0 0 0 0 0 0 0 0", ["50 0 25 120 5 0 0 0", "17 0 0 17 0 0 0 0"]));
  assert.deepEqual(cpu.coreBusyRatios(), [0, 0.5]);
});
