import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { HOST_METRICS } from "@apm-daemon/protocol";
import { HostSampler } from "./host-sampler.ts";
import { hostFiles, ProcFixture } from "./proc-fixture.ts";

const CPU_SHARES = ["User", "System", "Nice", "Iowait", "Irq", "Softirq", "Steal", "Idle"].map(
  (m) => `cpu${m}Ratio`,
);
const NAMES = HOST_METRICS.map((metric) => metric.name);

test("on a kernel that has everything each metric has a value from the second sample on", (t) => {
  const proc = new ProcFixture(t, hostFiles(10));
  const own = { daemonCpuRatio: 0.004, daemonRssBytes: 7, daemonEventLoopDelayP99Ms: 1 };
  const sampler = new HostSampler({ procRoot: proc.root, self: () => own });
  t.after(() => sampler.stop());
  sampler.tick(100, 0);
  for (const [path, text] of Object.entries(hostFiles(20))) proc.write(path, text);
  sampler.tick(101, 1000);
  const { tsSec, columns } = sampler.drain();
  assert.deepEqual(tsSec, [100, 101]);
  assert.deepEqual(Object.keys(columns), NAMES);
  // The link count of a folder says the number of processes on /proc and on most file systems, not on all.
  const absent = NAMES.filter((name) => name !== "processCount" && columns[name]?.[1] === null);
  assert.deepEqual(absent, []);
  assert.equal(columns["contextSwitchesPerSecond"]?.[0], null);
  assert.equal(columns["contextSwitchesPerSecond"]?.[1], 10);
  assert.equal(columns["oomKills"]?.[1], 10);
});

test("rates are over the time that passed, also when seconds were skipped", (t) => {
  const proc = new ProcFixture(t, hostFiles(10));
  const sampler = new HostSampler({ procRoot: proc.root });
  t.after(() => sampler.stop());
  sampler.tick(100, 0);
  for (const [path, text] of Object.entries(hostFiles(50))) proc.write(path, text);
  sampler.tick(104, 4000);
  assert.deepEqual(sampler.drain().tsSec, [100, 104]);
  assert.equal(sampler.newest()["contextSwitchesPerSecond"], 10);
});

test("a host whose /proc has a stat file alone gives nulls for the rest", (t) => {
  const proc = new ProcFixture(t, { stat: "cpu  1 1 1 1\n" });
  const sampler = new HostSampler({ procRoot: proc.root });
  t.after(() => sampler.stop());
  sampler.tick(100, 0);
  proc.write("stat", "cpu  2 1 1 2\n");
  sampler.tick(101, 1000);
  const values = sampler.newest();
  const present = NAMES.filter((name) => values[name] !== null && name !== "processCount");
  assert.deepEqual(present, ["cpuUserRatio", "cpuSystemRatio", "cpuNiceRatio", "cpuIdleRatio"]);
  const snapshot = sampler.snapshot();
  assert.equal(snapshot.tsSec, 101);
  assert.deepEqual(snapshot.disks, []);
  assert.deepEqual(snapshot.filesystems, []);
});

test("snapshots name disks, interfaces, cores and processes", (t) => {
  const proc = new ProcFixture(t, hostFiles(10));
  const sampler = new HostSampler({ procRoot: proc.root });
  t.after(() => sampler.stop());
  sampler.tick(100, 0);
  assert.deepEqual(sampler.snapshot().disks, []);
  for (const [path, text] of Object.entries(hostFiles(20))) proc.write(path, text);
  sampler.tick(110, 10_000);
  const snapshot = sampler.snapshot();
  assert.deepEqual(snapshot.coreBusyRatios, [0.75]);
  assert.deepEqual(snapshot.disks, [
    { name: "vda", readBytesPerSecond: 512, writeBytesPerSecond: 512, busyRatio: 0.001, awaitMs: 1 },
  ]);
  assert.equal(snapshot.interfaces[0]?.receiveBytesPerSecond, 1);
  const { disks, interfaces, coreBusyRatios } = sampler.snapshot();
  assert.deepEqual(
    { disks, interfaces, coreBusyRatios },
    {
      disks: snapshot.disks,
      interfaces: snapshot.interfaces,
      coreBusyRatios: snapshot.coreBusyRatios,
    },
  );
  assert.equal(snapshot.topProcesses[0]?.command, "app");
});

test("before the first sample a snapshot is empty", (t) => {
  const proc = new ProcFixture(t, hostFiles(10));
  const sampler = new HostSampler({ procRoot: proc.root });
  t.after(() => sampler.stop());
  const nothing = { coreBusyRatios: [], disks: [], interfaces: [], filesystems: [], topProcesses: [] };
  assert.deepEqual(sampler.snapshot(), { tsSec: 0, ...nothing });
});

test("this machine's own /proc gives sane numbers", { skip: process.platform !== "linux" }, async (t) => {
  const sampler = new HostSampler();
  t.after(() => sampler.stop());
  assert.ok(Object.values(sampler.newest()).every((value) => value === null));
  sampler.tick(1, performance.now());
  await pause(300);
  sampler.tick(2, performance.now());
  const values = sampler.newest();
  const shares = CPU_SHARES.reduce((sum, name) => sum + (values[name] ?? 0), 0);
  assert.ok(Math.abs(shares - 1) < 1e-9, `the CPU shares sum to ${shares}`);
  for (const { name, unit } of HOST_METRICS) {
    const value = values[name] ?? 0;
    assert.ok(Number.isFinite(value) && value >= 0, `${name} is ${value}`);
    if (unit === "ratio") assert.ok(value <= 1, `${name} is ${value}`);
  }
  assert.ok((values["memTotalBytes"] ?? 0) > (values["memUsedBytes"] ?? 0));
  assert.ok((values["processCount"] ?? 0) >= 2);
  const snapshot = sampler.snapshot();
  assert.ok(snapshot.topProcesses.some(({ pid }) => pid === process.pid));
  assert.ok(snapshot.coreBusyRatios.every((ratio) => ratio >= 0 && ratio <= 1));
});

test("at a coarser resolution whole rows are drained, and what is kept stays by the second", (t) => {
  const proc = new ProcFixture(t, hostFiles(0));
  const sampler = new HostSampler({ procRoot: proc.root, resolutionSec: 5 });
  t.after(() => sampler.stop());
  const tick = (second: number): void => {
    for (const [path, text] of Object.entries(hostFiles(10 * (second - 97)))) proc.write(path, text);
    sampler.tick(second, second * 1_000);
  };
  for (let second = 98; second <= 107; second++) tick(second);
  const first = sampler.drain();
  assert.deepEqual(first.tsSec, [98, 100]);
  assert.deepEqual(first.columns["contextSwitchesPerSecond"], [10, 10]);
  assert.deepEqual(first.columns["oomKills"], [10, 50]);
  assert.equal(sampler.between(98, 107).tsSec.length, 10);
  for (let second = 108; second <= 110; second++) tick(second);
  assert.deepEqual(sampler.drain().tsSec, [105]);
  sampler.release();
  assert.deepEqual(sampler.drain().tsSec, [110], "the daemon stops: no later drain has the rest");
});
