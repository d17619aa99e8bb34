// An app that wants a whole core in a control group that has a fifth of one: what the daemon says of it beside the kernel's counters.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { takeTurn } from "../support/take-turn.ts";
import { meanOf, nextSecond, SampledHost } from "./sampled-host.ts";

const APP = "throttled";
const AGENT = fileURLToPath(new URL("../../../agent-lib/dist/bundle/register.js", import.meta.url));
/** Busy, but its agent gets its turn. */
const BURNER =
  "(function slice() { const end = Date.now() + 5; while (Date.now() < end); setImmediate(slice); })()";
const SECONDS = 6;

const ROOT = "/sys/fs/cgroup";
const IS_V1 = existsSync(join(ROOT, "cpu/cpu.cfs_quota_us"));
const GROUP = join(ROOT, IS_V1 ? "cpu" : "", `apm-test-throttled-${process.pid}`);

function makeGroup(cleanup: Cleanup): void {
  mkdirSync(GROUP);
  cleanup.add(() => eventually("the cgroup is empty", 10_000, () => rmdirSync(GROUP)));
  if (IS_V1) {
    writeFileSync(join(GROUP, "cpu.cfs_period_us"), "50000");
    writeFileSync(join(GROUP, "cpu.cfs_quota_us"), "10000");
  } else writeFileSync(join(GROUP, "cpu.max"), "10000 50000");
}

/** What node:test wants as `skip`. */
function skipWithoutQuota(): string | false {
  const cleanup = new Cleanup();
  try {
    makeGroup(cleanup);
    rmdirSync(GROUP);
    return false;
  } catch {
    return "no right to make a cgroup with a CPU quota here";
  }
}

function throttledSec(): number {
  const stat = readFileSync(join(GROUP, "cpu.stat"), "utf8");
  return IS_V1
    ? Number(/^throttled_time (\d+)$/m.exec(stat)?.[1]) / 1e9
    : Number(/^throttled_usec (\d+)$/m.exec(stat)?.[1]) / 1e6;
}

function cpuSec(pid: number): number {
  const columns = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(columns[11]) + Number(columns[12])) / 100;
}

describe("a throttled app", { skip: skipWithoutQuota() }, () => {
  const cleanup = new Cleanup();

  before(() => takeTurn(cleanup));
  after(() => cleanup.run());

  test("its limit is exact, its throttling and CPU are within two points of the kernel's counters", async () => {
    const host = await SampledHost.start(cleanup);
    makeGroup(cleanup);
    const env = { ...process.env, APM_SOCKET: host.stateDir.agentSocket, APM_APP_NAME: APP };
    const app = spawn(process.execPath, ["--import", AGENT, "-e", BURNER], { env, stdio: "inherit" });
    const ended = once(app, "exit");
    cleanup.add(async () => {
      app.kill("SIGKILL");
      await ended;
    });
    const { pid = 0 } = app;
    await eventually("the app is sampled", 20_000, async () => {
      const { apps } = await host.stateDir.status();
      if (typeof apps[0]?.instances[0]?.cpuRatio !== "number") throw new Error("not yet");
    });
    writeFileSync(join(GROUP, "cgroup.procs"), String(pid));
    // The daemon looks every ten seconds where a process is.
    await eventually("the daemon knows the group", 20_000, async () => {
      const now = Math.floor(Date.now() / 1_000) - 3;
      const { columns } = await host.processSeconds(APP, now, now);
      if (columns["cgroupCpuLimitCores"]?.[0] !== 0.2) throw new Error("not yet");
    });
    const from = await nextSecond();
    const [throttledBefore, cpuBefore] = [throttledSec(), cpuSec(pid)];
    let to = from;
    while (to < from + SECONDS) to = await nextSecond();
    const throttled = (throttledSec() - throttledBefore) / (to - from);
    const cpu = (cpuSec(pid) - cpuBefore) / (to - from);
    const seconds = await host.processSeconds(APP, from, to - 1);
    assert.deepEqual(new Set(seconds.columns["cgroupCpuLimitCores"]), new Set([0.2]));
    assert.ok(throttled > 0.05, `the kernel throttled it for ${throttled} of the time`);
    const foundThrottled = meanOf(seconds, "cgroupThrottledRatio");
    assert.ok(Math.abs(foundThrottled - throttled) <= 0.02, `${foundThrottled} beside ${throttled}`);
    const foundCpu = meanOf(seconds, "cpuRatio");
    assert.ok(Math.abs(foundCpu - cpu) <= 0.02, `${foundCpu} beside ${cpu}`);
  });
});
