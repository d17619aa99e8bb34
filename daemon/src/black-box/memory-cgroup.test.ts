import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcFiles } from "../testing/proc-files.ts";
import { findMemoryCgroup, readMemoryCounters } from "./memory-cgroup.ts";

test("cgroup v2: kills and limit hits are the cgroup's own, the limit the lowest of all above it", (t) => {
  const files = new ProcFiles(t);
  const { procRoot, cgroupRoot } = files;
  files.cgroupV2(7, "/shop.slice/shop.service", 3, 9);
  files.write("cgroup/shop.slice/memory.max", "33554432\n");
  const found = findMemoryCgroup(procRoot, cgroupRoot, 7);
  assert.deepEqual(found, {
    version: 2,
    path: "/shop.slice/shop.service",
    folder: `${cgroupRoot}/shop.slice/shop.service`,
  });
  assert.deepEqual(readMemoryCounters(procRoot, cgroupRoot, found, 1), {
    unixMs: 1,
    oomKills: 3,
    hostOomKills: 5,
    processes: 1,
    limitBytes: 33_554_432,
    usedBytes: 66_060_288,
    limitHits: 9,
  });
});

test("cgroup v2: max is no limit", (t) => {
  const files = new ProcFiles(t);
  files.cgroupV2(7, "/a", 0);
  files.write("cgroup/a/memory.max", "max\n");
  const cgroup = findMemoryCgroup(files.procRoot, files.cgroupRoot, 7);
  assert.equal(readMemoryCounters(files.procRoot, files.cgroupRoot, cgroup, 1).limitBytes, null);
});

for (const [name, limit, expected] of [
  ["a limit", "104857600", 104_857_600],
  ["none", "9223372036854771712", null],
] as const) {
  test(`cgroup v1 with ${name}: the memory controller's own tree counts, whatever v2 says`, (t) => {
    const files = new ProcFiles(t);
    files.write("proc/7/cgroup", "9:pids:/x\n4:memory,hugetlb:/docker/abc\n0::/unified\n");
    const folder = "cgroup/memory/docker/abc";
    files.write(`${folder}/memory.oom_control`, "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
    files.write(`${folder}/memory.stat`, `cache 1\nhierarchical_memory_limit ${limit}\n`);
    files.write(`${folder}/memory.usage_in_bytes`, "99\n");
    files.write(`${folder}/memory.failcnt`, "4\n");
    files.write(`${folder}/cgroup.procs`, "7\n8\n");
    const cgroup = findMemoryCgroup(files.procRoot, files.cgroupRoot, 7);
    assert.equal(cgroup?.version, 1);
    assert.deepEqual(readMemoryCounters(files.procRoot, files.cgroupRoot, cgroup, 1), {
      unixMs: 1,
      oomKills: 2,
      hostOomKills: 5,
      processes: 2,
      limitBytes: expected,
      usedBytes: 99,
      limitHits: 4,
    });
  });
}

test("what cannot be read is unknown: no process, no controller, a path above our namespace, a cgroup that went", (t) => {
  const files = new ProcFiles(t);
  const { procRoot, cgroupRoot } = files;
  assert.equal(findMemoryCgroup(procRoot, cgroupRoot, 7), null);
  files.write("proc/7/cgroup", "0::/no-controller\n");
  assert.equal(findMemoryCgroup(procRoot, cgroupRoot, 7), null);
  files.write("proc/7/cgroup", "0::/../elsewhere\n");
  files.write("elsewhere/memory.events", "oom_kill 1\n");
  assert.equal(findMemoryCgroup(procRoot, cgroupRoot, 7), null);
  const gone = { version: 2, path: "/gone", folder: `${cgroupRoot}/gone` } as const;
  assert.deepEqual(readMemoryCounters(procRoot, cgroupRoot, gone, 1), {
    unixMs: 1,
    oomKills: null,
    hostOomKills: 5,
    processes: null,
    limitBytes: null,
    usedBytes: null,
    limitHits: null,
  });
});
