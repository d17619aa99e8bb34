import assert from "node:assert/strict";
import { test } from "node:test";
import type { CauseKind, Verdict } from "@apm-daemon/protocol";
import type { TimeUse } from "./request-time.ts";
import { Seconds } from "./seconds.ts";
import { Surroundings } from "./surroundings.ts";
import { judge } from "./verdict.ts";

const START_SEC = 1_790_000_000;
const BASELINE = 120;

type Values = Record<string, number | null>;

/** What a quiet host of two cores shows, with the little that always goes on. */
function quiet(second: number): Values {
  const noise = (second * 7_919) % 10;
  return {
    cpuStealRatio: noise === 3 ? 0.01 : 0,
    cpuIdleRatio: 0.93 - noise / 200,
    cpuIowaitRatio: 0.002,
    procsRunnable: 1 + (noise > 6 ? 1 : 0),
    psiCpuSomeRatio: 0.01 + noise / 500,
    psiMemorySomeRatio: 0,
    psiIoSomeRatio: 0.004 + noise / 1_000,
    diskBusyRatio: 0.01 + noise / 500,
    diskAwaitMs: noise < 2 ? null : 0.4 + noise / 10,
    swapInBytesPerSecond: 0,
    swapOutBytesPerSecond: 0,
    tcpRetransmitsPerSecond: noise === 5 ? 1 : 0,
  };
}

function quietProcess(second: number): Values {
  const noise = (second * 104_729) % 10;
  return {
    cpuRatio: 0.02 + noise / 200,
    eventLoopUtilizationRatio: 0.02 + noise / 200,
    eventLoopDelayP99Ms: 2 + noise,
    gcPauseMs: noise === 1 ? 4 : 0,
    cgroupThrottledRatio: 0,
  };
}

const BUSY_CODE = { cpuRatio: 0.95, eventLoopUtilizationRatio: 1, eventLoopDelayP99Ms: 25 };
const STARVED = { cpuRatio: 0.35, eventLoopUtilizationRatio: 1, eventLoopDelayP99Ms: 120 };

const IN_CODE: TimeUse = {
  code: 1,
  queue: 0,
  waiting: { database: 0, cache: 0, external: 0 },
  waits: [],
};

function waitingFor(category: "database" | "cache" | "external", target: string, ratio: number): TimeUse {
  return {
    ...IN_CODE,
    code: 1 - ratio,
    waiting: { ...IN_CODE.waiting, [category]: ratio },
    waits: [{ category, target, operation: "0123456789abcdef", ratio }],
  };
}

interface Scene {
  use?: TimeUse;
  host?: Values;
  process?: Values;
  seconds?: number;
  baseline?: number;
  durationMs?: number;
  /** Of the baseline. */
  usually?: (second: number) => Values;
}

function table(first: number, rows: readonly Values[]) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return {
    tsSec: rows.map((_, i) => first + i),
    columns: Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name] ?? null)])),
  };
}

/** The verdict on a request that begins after a quiet time and has `host` and `process` in its seconds. */
function verdict({
  use = IN_CODE,
  host = {},
  process = {},
  seconds = 3,
  baseline = BASELINE,
  durationMs = seconds * 1_000 - 100,
  usually = quiet,
}: Scene): Verdict {
  const before = Array.from({ length: baseline }, (_, i) => i);
  const during = Array.from({ length: seconds }, (_, i) => baseline + i);
  const first = START_SEC - baseline;
  const hostTable = table(first, [
    ...before.map(usually),
    ...during.map((second) => ({ ...quiet(second), ...host })),
  ]);
  const processTable = table(first, [
    ...before.map(quietProcess),
    ...[...during, baseline + seconds].map((second) => ({ ...quietProcess(second), ...process })),
  ]);
  const startMs = START_SEC * 1_000 + 50;
  const around = new Surroundings(
    new Seconds(hostTable),
    new Seconds(processTable),
    startMs,
    startMs + durationMs,
  );
  return judge({
    durationMs,
    use,
    around,
    cores: 2,
    isLocal: (target) => target.startsWith("127."),
    noisyProcess: (noise) => ({ pid: 7, command: `the hog by ${noise}`, cpuRatio: 0.9 }),
  });
}

const first = (scene: Scene): CauseKind | null => verdict(scene).causes[0]?.kind ?? null;

test("nothing unusual: no cause, and the time is where it is", () => {
  const timers = verdict({});
  assert.deepEqual(timers.causes, []);
  assert.deepEqual(timers.time, { part: "code", ratio: 1, target: "" });
  assert.equal(timers.confidence, "high");
  assert.deepEqual(timers.doubts, []);
  assert.deepEqual([timers.baselineSeconds, timers.seconds], [BASELINE, 3]);
  assert.equal(first({ process: BUSY_CODE }), null);
});

test("each cause is named by the seconds that were recorded of it", () => {
  const scenes: Record<CauseKind, Scene> = {
    cpu_steal: { host: { cpuStealRatio: 0.4, cpuIdleRatio: 0.2, psiCpuSomeRatio: 0.06 }, process: STARVED },
    cpu_contention: {
      host: { cpuIdleRatio: 0, procsRunnable: 8, psiCpuSomeRatio: 0.93 },
      process: STARVED,
    },
    cpu_throttling: {
      host: { psiCpuSomeRatio: 0.54 },
      process: { ...STARVED, cpuRatio: 0.2, cgroupThrottledRatio: 0.78 },
    },
    memory_pressure: { host: { psiMemorySomeRatio: 0.5, psiIoSomeRatio: 0.5 }, process: STARVED },
    swap: {
      host: { psiMemorySomeRatio: 0.3, swapInBytesPerSecond: 13_000_000, diskBusyRatio: 0.5 },
      process: { ...STARVED, cpuRatio: 0.4, eventLoopDelayP99Ms: 2_980 },
    },
    disk: { host: { psiIoSomeRatio: 0.8, diskBusyRatio: 0.95, diskAwaitMs: 21 } },
    network: {
      host: { tcpRetransmitsPerSecond: 4 },
      use: waitingFor("external", "198.18.0.2:80", 0.95),
    },
    garbage_collection: { process: { ...BUSY_CODE, gcPauseMs: 560, eventLoopDelayP99Ms: 300 } },
    event_loop: { process: { ...BUSY_CODE, eventLoopDelayP99Ms: 1_500 } },
    database: { use: waitingFor("database", "127.0.0.1:5432", 0.9) },
    cache: { use: waitingFor("cache", "10.0.0.9:6379", 0.7) },
    external: { use: waitingFor("external", "api.example:443", 0.6) },
  };
  const found = Object.entries(scenes).map(([kind, scene]) => [kind, first(scene)]);
  assert.deepEqual(
    found,
    Object.keys(scenes).map((kind) => [kind, kind]),
  );
});

test("a cause has its value, what is usual, its share and the process that stands out", () => {
  const [cause] = verdict({
    host: { cpuIdleRatio: 0, procsRunnable: 9, psiCpuSomeRatio: 0.9 },
    process: STARVED,
  }).causes;
  assert.equal(cause?.metric, "psiCpuSomeRatio");
  assert.equal(cause?.unit, "ratio");
  assert.ok(Math.abs((cause?.value ?? 0) - 0.9) < 0.01);
  assert.ok((cause?.usual ?? 1) < 0.03);
  // Loop busy all the time, 0.35 of it with a CPU.
  assert.ok(Math.abs((cause?.share ?? 0) - 0.65) < 0.02, String(cause?.share));
  assert.deepEqual(cause?.process, { pid: 7, command: "the hog by cpuRatio", cpuRatio: 0.9 });
});

test("what is unusual on the host slows no request that only waited for its own timers", () => {
  for (const host of [
    { cpuIdleRatio: 0, procsRunnable: 9, psiCpuSomeRatio: 0.9 },
    { cpuStealRatio: 0.5 },
    { psiMemorySomeRatio: 0.6 },
    { tcpRetransmitsPerSecond: 30 },
  ])
    assert.equal(first({ host }), null, JSON.stringify(host));
});

test("a disk that is busy slows those alone who use it", () => {
  const host = { psiIoSomeRatio: 0.8, diskBusyRatio: 0.95 };
  assert.equal(first({ host, process: { ioReadBytesPerSecond: 0, ioWriteBytesPerSecond: 0 } }), null);
  assert.equal(first({ host, process: { ioReadBytesPerSecond: 0, ioWriteBytesPerSecond: 9_000 } }), "disk");
});

test("what a control group at its limit reads back is the memory's while memory is short, and else the disk's", () => {
  const disk = { psiIoSomeRatio: 0.4, diskBusyRatio: 0.8 };
  const host = { ...disk, psiMemorySomeRatio: 0.1 };
  const process = {
    ...STARVED,
    eventLoopDelayP99Ms: 5,
    ioReadBytesPerSecond: 40e6,
    ioWriteBytesPerSecond: 0,
  };
  const atLimit = { cgroupMemoryUsedBytes: 127e6, cgroupMemoryLimitBytes: 128e6 };
  const told = verdict({ host, process: { ...process, ...atLimit } }).causes.map(({ kind }) => kind);
  assert.deepEqual(told, ["memory_pressure"]);
  assert.equal(first({ host: disk, process: { ...process, ...atLimit } }), "disk");
  assert.equal(first({ host, process: { ...process, ...atLimit, cgroupMemoryUsedBytes: 64e6 } }), "disk");
  assert.equal(first({ host, process }), "disk");
});

test("a busy disk comes before a database on this host that waits for it, but not before one elsewhere", () => {
  const host = { psiIoSomeRatio: 0.85, diskBusyRatio: 0.97 };
  const process = { ioReadBytesPerSecond: 0, ioWriteBytesPerSecond: 0 };
  const here = verdict({ host, process, use: waitingFor("database", "127.0.0.1:5432", 0.9) });
  assert.deepEqual(
    here.causes.map(({ kind }) => kind),
    ["disk", "database"],
  );
  const away = verdict({ host, process, use: waitingFor("database", "db-1:5432", 0.9) });
  assert.deepEqual(
    away.causes.map(({ kind }) => kind),
    ["database"],
  );
});

test("what is always so on a host is usual there", () => {
  const busy = (second: number): Values => ({
    ...quiet(second),
    cpuIdleRatio: 0,
    procsRunnable: 8 + (second % 5),
    psiCpuSomeRatio: 0.85 + (second % 10) / 100,
  });
  const host = { cpuIdleRatio: 0, procsRunnable: 11, psiCpuSomeRatio: 0.94 };
  assert.equal(first({ usually: busy, host, process: STARVED }), null);
  // Three times as many tasks as usual are not.
  const more = verdict({ usually: busy, host: { ...host, procsRunnable: 40 }, process: STARVED });
  assert.equal(more.causes[0]?.kind, "cpu_contention");
  assert.equal(more.causes[0]?.metric, "procsRunnable");
});

test("bursts that come all the time are usual, too", () => {
  const bursts = (second: number): Values => ({
    ...quiet(second),
    ...(second % 5 === 0 ? { procsRunnable: 8, psiCpuSomeRatio: 0.9 } : {}),
  });
  assert.equal(
    first({ usually: bursts, host: { procsRunnable: 8, psiCpuSomeRatio: 0.9 }, process: STARVED }),
    null,
  );
});

test("a verdict says why it is no surer", () => {
  const host = { cpuIdleRatio: 0, procsRunnable: 8, psiCpuSomeRatio: 0.93 };
  const short = verdict({ host, process: STARVED, seconds: 1, durationMs: 400 });
  assert.deepEqual([short.confidence, short.doubts], ["medium", ["short_request"]]);
  const early = verdict({ host, process: STARVED, baseline: 20 });
  assert.deepEqual([early.confidence, early.doubts], ["medium", ["short_baseline"]]);
  const blind = verdict({ host, process: STARVED, baseline: 5 });
  assert.equal(blind.causes[0]?.usual, null);
  assert.equal(blind.confidence, "low");
  const late = verdict({ host, process: STARVED, seconds: 3, durationMs: 4_500 });
  assert.deepEqual(late.doubts, ["missing_seconds"]);
  const close = verdict({
    host,
    process: { ...STARVED, cpuRatio: 0.45, cgroupThrottledRatio: 0.28 },
  });
  assert.deepEqual(close.doubts, ["close_causes"]);
  const little = verdict({ host, process: { ...BUSY_CODE, cpuRatio: 0.8 } });
  assert.deepEqual(little.doubts, ["little_explained"]);
  const unmeasured = verdict({ process: { cpuRatio: null } });
  assert.deepEqual([unmeasured.confidence, unmeasured.doubts], ["medium", ["not_measured"]]);
});

test("without PSI the tasks that wait tell of the CPUs, and the disks of themselves", () => {
  const without = (second: number): Values => ({
    ...quiet(second),
    psiCpuSomeRatio: null,
    psiIoSomeRatio: null,
    psiMemorySomeRatio: null,
  });
  const none = { psiCpuSomeRatio: null, psiIoSomeRatio: null, psiMemorySomeRatio: null };
  const cpu = verdict({ usually: without, host: { ...none, procsRunnable: 9 }, process: STARVED });
  assert.deepEqual([cpu.causes[0]?.kind, cpu.causes[0]?.metric], ["cpu_contention", "procsRunnable"]);
  assert.ok(cpu.doubts.includes("not_measured"));
  const disk = verdict({ usually: without, host: { ...none, diskBusyRatio: 0.9, diskAwaitMs: 30 } });
  assert.deepEqual([disk.causes[0]?.kind, disk.causes[0]?.metric], ["disk", "diskAwaitMs"]);
  const swap = verdict({
    usually: without,
    host: { ...none, swapInBytesPerSecond: 30_000_000 },
    process: STARVED,
  });
  assert.equal(swap.causes[0]?.kind, "swap");
});

test("shares never add up to more than the request", () => {
  const { causes } = verdict({
    host: {
      cpuStealRatio: 0.5,
      cpuIdleRatio: 0,
      procsRunnable: 30,
      psiCpuSomeRatio: 1,
      psiMemorySomeRatio: 0.9,
      psiIoSomeRatio: 1,
      diskBusyRatio: 1,
      tcpRetransmitsPerSecond: 90,
    },
    process: { ...STARVED, cgroupThrottledRatio: 0.9, gcPauseMs: 900 },
    use: waitingFor("database", "db-1:5432", 0.5),
  });
  const sum = causes.reduce((whole, { share }) => whole + share, 0);
  assert.ok(causes.length <= 5 && sum <= 1.001, JSON.stringify(causes));
});
