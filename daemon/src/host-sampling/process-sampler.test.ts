import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { PROCESS_METRICS } from "@apm-daemon/protocol";
import { HostSampler } from "./host-sampler.ts";
import { ProcFixture } from "./proc-fixture.ts";
import { ProcessSampler } from "./process-sampler.ts";

const IDLE = "console.log('up'); setInterval(() => {}, 1e6)";
const BUSY = "console.log('up'); for (;;);";

interface Child {
  process: ChildProcess;
  pid: number;
  startUnixMs: number;
}

async function startChild(t: TestContext, code: string): Promise<Child> {
  const startUnixMs = Date.now();
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  assert.ok(child.pid);
  return { process: child, pid: child.pid, startUnixMs };
}

async function stopChild({ process: child }: Child): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Samples until the newest row of `key` passes, for at most ten seconds. */
async function tickUntil(
  sampler: ProcessSampler,
  key: string,
  passes: (row: Record<string, number | null>) => boolean,
): Promise<Record<string, number | null>> {
  for (let i = 0; i < 40; i++) {
    await sampler.tick(1000 + i, performance.now());
    const row = sampler.newest(key);
    if (row !== null && passes(row)) return row;
    await pause(250);
  }
  throw new Error(`no row passed; the newest is ${JSON.stringify(sampler.newest(key))}`);
}

test("a child in a busy loop uses what it gets of one core, an idle one none", async (t) => {
  const [busy, idle] = [await startChild(t, BUSY), await startChild(t, IDLE)];
  const sampler = new ProcessSampler();
  assert.ok(sampler.add({ key: "busy", pid: busy.pid, startUnixMs: busy.startUnixMs }));
  assert.ok(sampler.add({ key: "idle", pid: idle.pid, startUnixMs: idle.startUnixMs }));
  await sampler.tick(999, performance.now());
  assert.equal(sampler.newest("busy")?.["cpuRatio"], null, "one reading gives no share");
  const row = await tickUntil(sampler, "busy", ({ cpuRatio }) => (cpuRatio ?? 0) > 0.2);
  assert.ok((row["cpuRatio"] ?? 0) < 1.5);
  await tickUntil(sampler, "idle", ({ cpuRatio }) => (cpuRatio ?? 1) < 0.2);
  assert.ok((row["rssBytes"] ?? 0) > 5_000_000 && (row["rssBytes"] ?? 0) < 1_000_000_000);
});

test("threads and open files are counted", { skip: process.platform !== "linux" }, async (t) => {
  const child = await startChild(t, IDLE);
  const sampler = new ProcessSampler();
  sampler.add({ key: "a", ...child });
  await sampler.tick(1000, performance.now());
  const row = sampler.newest("a");
  assert.ok((row?.["threads"] ?? 0) >= 5, "Node runs several threads");
  assert.ok((row?.["openFds"] ?? 0) >= 3, "stdin, stdout and stderr at least");
});

test("a process that went has absent values, and its history does not disturb the others", async (t) => {
  const [gone, stays] = [await startChild(t, IDLE), await startChild(t, IDLE)];
  const sampler = new ProcessSampler();
  sampler.add({ key: "gone", ...gone });
  sampler.add({ key: "stays", ...stays });
  await sampler.tick(1000, performance.now());
  await stopChild(gone);
  await sampler.tick(1001, performance.now());
  const rows = sampler.drain();
  assert.notEqual(rows.get("gone")?.columns["rssBytes"]?.[0], null);
  assert.equal(rows.get("gone")?.columns["rssBytes"]?.[1], null);
  assert.notEqual(rows.get("stays")?.columns["rssBytes"]?.[1], null);
});

test("the only process going is no error", async (t) => {
  const child = await startChild(t, IDLE);
  const sampler = new ProcessSampler();
  sampler.add({ key: "a", ...child });
  await stopChild(child);
  await sampler.tick(1000, performance.now());
  assert.deepEqual(sampler.drain().get("a")?.columns["rssBytes"], [null]);
});

test("a pid that means another process here, as from a container, is not sampled", async (t) => {
  const child = await startChild(t, IDLE);
  const sampler = new ProcessSampler();
  sampler.add({ key: "a", pid: child.pid, startUnixMs: child.startUnixMs - 3_600_000 });
  await sampler.tick(1000, performance.now());
  assert.equal(sampler.newest("a")?.["rssBytes"], null);
  assert.equal(sampler.foreignProcesses, 1);
});

test("a pid that the kernel has proven is sampled, whatever start the process claims", async (t) => {
  const child = await startChild(t, IDLE);
  const sampler = new ProcessSampler();
  sampler.add({ key: "a", pid: child.pid, startUnixMs: 0, isProven: true, uid: 7 });
  await sampler.tick(1000, performance.now());
  assert.ok(sampler.newest("a")?.["rssBytes"]);
  assert.equal(sampler.foreignProcesses, 0);
});

test("one user's processes do not take the place of all others'", () => {
  const sampler = new ProcessSampler();
  const add = (key: string, uid: number): boolean =>
    sampler.add({ key, pid: 1, startUnixMs: 0, isProven: true, uid });
  for (let i = 0; i < 384; i++) assert.ok(add(`hostile ${i}`, 2));
  assert.equal(add("one more", 2), false);
  assert.equal(add("good", 1), true);
  sampler.remove("hostile 0");
  sampler.drain();
  assert.equal(add("one more", 2), true);
});

test("what a process told of itself joins its next second once", async (t) => {
  const child = await startChild(t, IDLE);
  const sampler = new ProcessSampler();
  sampler.add({ key: "a", ...child });
  sampler.note("a", { heapUsedBytes: 1, eventLoopUtilizationRatio: 0.25 });
  sampler.note("a", { heapUsedBytes: 2 });
  sampler.note("unknown", { heapUsedBytes: 3 });
  await sampler.tick(1000, performance.now());
  await sampler.tick(1001, performance.now());
  const columns = sampler.drain().get("a")?.columns ?? {};
  assert.deepEqual(columns["heapUsedBytes"], [2, null]);
  assert.deepEqual(columns["eventLoopUtilizationRatio"], [0.25, null]);
});

test("a removed process is drained once more, then forgotten", async (t) => {
  const child = await startChild(t, IDLE);
  const sampler = new ProcessSampler();
  sampler.add({ key: "a", ...child });
  await sampler.tick(1000, performance.now());
  sampler.remove("a");
  sampler.remove("unknown");
  await sampler.tick(1001, performance.now());
  assert.deepEqual(sampler.drain().get("a")?.tsSec, [1000]);
  assert.equal(sampler.drain().size, 0);
  assert.equal(sampler.newest("a"), null);
});

test("an agent that reconnects keeps its rows", async (t) => {
  const child = await startChild(t, IDLE);
  const sampler = new ProcessSampler();
  sampler.add({ key: "a", ...child });
  await sampler.tick(1000, performance.now());
  sampler.remove("a");
  sampler.add({ key: "a", ...child });
  await sampler.tick(1001, performance.now());
  assert.deepEqual(sampler.drain().get("a")?.tsSec, [1000, 1001]);
});

test("a tick during another one is left out and counted", async (t) => {
  const child = await startChild(t, IDLE);
  const sampler = new ProcessSampler();
  sampler.add({ key: "a", ...child });
  await Promise.all([sampler.tick(1000, 0), sampler.tick(1001, 1)]);
  assert.equal(sampler.skippedSeconds, 1);
  assert.deepEqual(sampler.drain().get("a")?.tsSec, [1000]);
});

test("the 512th process is taken, the 513th refused and counted", () => {
  const sampler = new ProcessSampler();
  for (let i = 1; i <= 512; i++) assert.ok(sampler.add({ key: `k${i}`, pid: i, startUnixMs: 0 }));
  assert.equal(sampler.add({ key: "k513", pid: 513, startUnixMs: 0 }), false);
  assert.equal(sampler.refusedProcesses, 1);
  assert.ok(sampler.add({ key: "k1", pid: 999, startUnixMs: 0 }), "a known key may change its pid");
});

test("without the kernel's folder of a process its threads and open files are absent", async (t) => {
  const child = await startChild(t, IDLE);
  const sampler = new ProcessSampler({ procRoot: new ProcFixture(t).root });
  sampler.add({ key: "a", ...child });
  await sampler.tick(1000, performance.now());
  assert.equal(sampler.newest("a")?.["threads"], null);
  assert.equal(sampler.newest("a")?.["openFds"], null);
  assert.notEqual(sampler.newest("a")?.["rssBytes"], null);
});

test("rings of few processes keep ten minutes, and all rings together stay below their share of memory", async (t) => {
  const child = await startChild(t, IDLE);
  const sampler = new ProcessSampler();
  t.after(() => sampler.stop());
  const rowBytes = 8 + 4 * PROCESS_METRICS.length;
  sampler.add({ key: "0", ...child });
  for (let second = 1; second <= 700; second++) {
    sampler.note("0", { heapUsedBytes: second });
    await sampler.tick(second, second * 1_000);
  }
  assert.equal(sampler.recent("0", 1_000)?.tsSec.length, 600);
  assert.deepEqual(sampler.between("0", 690, 692)?.columns["heapUsedBytes"], [690, 691, 692]);
  assert.equal(sampler.between("unknown", 1, 2), null);
  for (let i = 1; i < 512; i++) sampler.add({ key: `${i}`, pid: i, startUnixMs: 0 });
  const seconds = sampler.recent("0", 1_000)?.tsSec.length ?? 0;
  assert.ok(seconds >= 60, `${seconds} s are left of each: a batch may be sealed once a minute`);
  assert.ok(512 * seconds * rowBytes <= 4.5 * 1_048_576, `${512 * seconds * rowBytes} bytes`);
  assert.deepEqual(sampler.between("0", 699, 700)?.columns["heapUsedBytes"], [699, 700]);
});

/** Burns a core for as long as its parent is there. */
const BUSY_CHILD =
  "const parent = process.ppid; for (let i = 0; i % 1e6 !== 0 || process.ppid === parent; i++);";
const PARENT = `
require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(BUSY_CHILD)}]);
console.log("up");
setInterval(() => {}, 10);`;

test("the processes that an app started count as its tree, unless they are instances; an app alone has none", {
  skip: process.platform !== "linux",
}, async (t) => {
  const [parent, alone] = [await startChild(t, PARENT), await startChild(t, IDLE)];
  const host = new HostSampler();
  t.after(() => host.stop());
  const sampler = new ProcessSampler({ host });
  t.after(() => sampler.stop());
  sampler.add({ key: "parent", ...parent });
  sampler.add({ key: "alone", ...alone });
  let second = 0;
  const tick = async (): Promise<Record<string, number | null>> => {
    host.tick(++second, performance.now());
    await sampler.tick(second, performance.now());
    await pause(300);
    return sampler.newest("parent") ?? {};
  };
  let row = await tick();
  const isBusy = ({ treeCpuRatio, contextSwitchesPerSecond }: typeof row): boolean =>
    (treeCpuRatio ?? 0) > 0.2 && (contextSwitchesPerSecond ?? 0) > 0;
  for (let i = 0; i < 40 && !isBusy(row); i++) row = await tick();
  assert.ok(isBusy(row), "the child burns a core, and its parent's timer wakes it a hundred times a second");
  assert.equal(row["treeProcesses"], 1);
  assert.ok((row["treeRssBytes"] ?? 0) > 5_000_000);
  assert.equal(sampler.newest("alone")?.["treeProcesses"], null);
  const [busy] = host.busiest(second, second).filter((process) => process.isOfTree(parent.pid));
  assert.ok(busy !== undefined && busy.pid !== parent.pid && !busy.isOfTree(alone.pid));
  sampler.add({ key: "child", pid: busy.pid, startUnixMs: 0, isProven: true });
  row = await tick();
  assert.equal(row["treeProcesses"], null, "the child is an instance itself now");
});
