import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcFiles } from "../testing/proc-files.ts";
import { Cgroups } from "./cgroup.ts";
import { ProcScanner } from "./proc-scanner.ts";

function cpuStat(usageUs: number, throttledUs: number): string {
  return `usage_usec ${usageUs}\nuser_usec 1\nsystem_usec 1\nnr_periods 9\nnr_throttled 3\nthrottled_usec ${throttledUs}\nnr_bursts 0\nburst_usec 0\n`;
}

function cgroupsOf({ procRoot, cgroupRoot }: ProcFiles): Cgroups {
  return new Cgroups(procRoot, cgroupRoot, new ProcScanner());
}

const NOTHING = {
  cgroupThrottledRatio: null,
  cgroupCpuLimitCores: null,
  cgroupCpuUsageRatio: null,
  cgroupMemoryUsedBytes: null,
  cgroupMemoryLimitBytes: null,
};

test("cgroup v2: usage is the group's own, limits are the lowest above it, throttling is where it was most", (t) => {
  const files = new ProcFiles(t);
  files.write("proc/7/cgroup", "0::/shop.slice/shop.service\n");
  const own = "cgroup/shop.slice/shop.service";
  files.write(`${own}/cpu.stat`, cpuStat(1_000_000, 0));
  files.write(`${own}/cpu.max`, "max 100000\n");
  files.write(`${own}/memory.current`, "2000\n");
  files.write(`${own}/memory.max`, "9000\n");
  files.write("cgroup/shop.slice/cpu.stat", cpuStat(5_000_000, 100_000));
  files.write("cgroup/shop.slice/cpu.max", "150000 100000\n");
  files.write("cgroup/shop.slice/memory.current", "5000\n");
  files.write("cgroup/shop.slice/memory.max", "8000\n");
  files.write("cgroup/cpu.stat", "usage_usec 99\n");
  const cgroups = cgroupsOf(files);
  t.after(() => cgroups.close());
  const limits = { cgroupCpuLimitCores: 1.5, cgroupMemoryUsedBytes: 2_000, cgroupMemoryLimitBytes: 8_000 };
  assert.deepEqual(cgroups.sample(7, 0), { ...NOTHING, ...limits });
  files.write(`${own}/cpu.stat`, cpuStat(1_500_000, 0));
  files.write("cgroup/shop.slice/cpu.stat", cpuStat(6_500_000, 700_000));
  assert.deepEqual(cgroups.sample(7, 2_000), {
    cgroupThrottledRatio: 0.3,
    cgroupCpuUsageRatio: 0.25,
    ...limits,
  });
});

test("cgroup v1: the controllers have trees of their own, and no word for no limit", (t) => {
  const files = new ProcFiles(t);
  files.write("proc/7/cgroup", "9:cpuacct:/acct\n4:memory:/mem/a\n2:cpu:/shop\n0::/unified\n");
  const write = (throttledNs: number, usageNs: number): void => {
    files.write("cgroup/cpu/shop/cpu.stat", `nr_periods 10\nnr_throttled 2\nthrottled_time ${throttledNs}\n`);
    files.write("cgroup/cpuacct/acct/cpuacct.usage", `${usageNs}\n`);
  };
  write(1e9, 3e9);
  files.write("cgroup/cpu/shop/cpu.cfs_quota_us", "20000\n");
  files.write("cgroup/cpu/shop/cpu.cfs_period_us", "100000\n");
  files.write("cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  files.write("cgroup/cpu/cpu.cfs_period_us", "100000\n");
  files.write("cgroup/memory/mem/a/memory.usage_in_bytes", "4096\n");
  files.write("cgroup/memory/mem/a/memory.limit_in_bytes", "9223372036854771712\n");
  files.write("cgroup/memory/mem/memory.limit_in_bytes", "8192\n");
  const cgroups = cgroupsOf(files);
  t.after(() => cgroups.close());
  cgroups.sample(7, 0);
  write(1.5e9, 3.25e9);
  assert.deepEqual(cgroups.sample(7, 1_000), {
    cgroupThrottledRatio: 0.5,
    cgroupCpuLimitCores: 0.2,
    cgroupCpuUsageRatio: 0.25,
    cgroupMemoryUsedBytes: 4_096,
    cgroupMemoryLimitBytes: 8_192,
  });
});

test("a container that sees its own group alone, at the mount, is found there", (t) => {
  const files = new ProcFiles(t);
  files.write("proc/7/cgroup", "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n");
  files.write("cgroup/cpu/cpu.cfs_quota_us", "50000\n");
  files.write("cgroup/cpu/cpu.cfs_period_us", "100000\n");
  files.write("cgroup/cpu/cgroup.procs", "7\n");
  files.write("cgroup/memory/memory.usage_in_bytes", "1\n");
  files.write("cgroup/memory/cgroup.procs", "8\n");
  const cgroups = cgroupsOf(files);
  t.after(() => cgroups.close());
  assert.equal(cgroups.sample(7, 0).cgroupCpuLimitCores, 0.5);
  assert.equal(cgroups.sample(7, 0).cgroupMemoryUsedBytes, null, "the group at that mount is another's");
});

test("a container with a namespace of its own is at the root, which has its limits", (t) => {
  const files = new ProcFiles(t);
  files.write("proc/7/cgroup", "0::/\n");
  files.write("cgroup/cpu.stat", cpuStat(1, 0));
  files.write("cgroup/cpu.max", "200000 100000\n");
  files.write("cgroup/memory.current", "77\n");
  files.write("cgroup/memory.max", "max\n");
  const cgroups = cgroupsOf(files);
  t.after(() => cgroups.close());
  assert.deepEqual(cgroups.sample(7, 0), {
    ...NOTHING,
    cgroupCpuLimitCores: 2,
    cgroupMemoryUsedBytes: 77,
  });
});

test("throttled on several CPUs at once is at most the whole second", (t) => {
  const files = new ProcFiles(t);
  files.write("proc/7/cgroup", "0::/a\n");
  files.write("cgroup/a/cpu.stat", cpuStat(0, 0));
  const cgroups = cgroupsOf(files);
  t.after(() => cgroups.close());
  cgroups.sample(7, 0);
  files.write("cgroup/a/cpu.stat", cpuStat(0, 3_000_000));
  assert.equal(cgroups.sample(7, 1_000).cgroupThrottledRatio, 1);
});

test("processes of one group share its reading; one that moves is followed; one that went has nothing", (t) => {
  const files = new ProcFiles(t);
  for (const pid of [7, 8]) files.write(`proc/${pid}/cgroup`, "0::/a\n");
  for (const group of ["a", "b"]) {
    files.write(`cgroup/${group}/cpu.stat`, cpuStat(0, 0));
    files.write(`cgroup/${group}/cpu.max`, group === "a" ? "100000 100000\n" : "300000 100000\n");
  }
  const cgroups = cgroupsOf(files);
  t.after(() => cgroups.close());
  for (const pid of [7, 8]) cgroups.sample(pid, 0);
  files.write("cgroup/a/cpu.stat", cpuStat(400_000, 0));
  for (const pid of [7, 8]) assert.equal(cgroups.sample(pid, 1_000).cgroupCpuUsageRatio, 0.4);
  files.write("proc/7/cgroup", "0::/b\n");
  files.end(8);
  cgroups.sample(7, 10_000);
  cgroups.sample(8, 10_000);
  cgroups.forget(10_000);
  assert.equal(cgroups.sample(7, 11_000).cgroupCpuLimitCores, 3);
  assert.deepEqual(cgroups.sample(8, 11_000), NOTHING);
});
