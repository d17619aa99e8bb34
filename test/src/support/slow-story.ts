import { randomUUID } from "node:crypto";
import {
  type ActionRow,
  type AppEvent,
  type BatchHeader,
  bucketOf,
  type HostIdentity,
  type SecondsTable,
  sparseHistogram,
  type Verdict,
} from "@apm-daemon/protocol";
import { batchFile, oneRequest } from "./batches.ts";
import { type MadeSpan, type MadeTrace, madeTrace } from "./made-trace.ts";

/**
 * Twenty minutes of a shop on two hosts, written by hand, so that each figure is known: for one minute a backup keeps the
 * disk of web-2 busy, and requests that write there are slow. All times are before `nowMs`.
 */
export const ACTION = "GET /carts/:id";
export const WINDOWS = 120;
/** Of each host in each window. */
export const FAST = 20;
/** Of web-2 in each of the slow windows. */
export const SLOW = 6;
export const SLOW_WINDOWS: readonly number[] = [90, 91, 92, 93, 94, 95];
/** Kept slow traces: of 15 twelve by the disk. */
export const BY_DISK = 12;
export const SLOW_TRACES = 15;
const FAST_TRACES = 30;
/** The one with many spans. */
export const LONG_MS = 3_400;
/** Spans that its host counted, and did not keep. */
export const LOST_SPANS = 7;
export const STATEMENT = "insert into carts values (?)";
const WINDOW_MS = 10_000;

export interface SlowStory {
  batches: Buffer[];
  fromMs: number;
  toMs: number;
  /** The trace with many spans. */
  longTraceId: string;
  requests: number;
}

export function slowStory(nowMs: number): SlowStory {
  const toMs = Math.floor(nowMs / WINDOW_MS) * WINDOW_MS;
  const fromMs = toMs - WINDOWS * WINDOW_MS;
  const at = (window: number): number => fromMs + window * WINDOW_MS;
  const traces = slowTraces(at);
  // In the windows before the slow ones: the host's seconds are known of these.
  const fast = Array.from({ length: FAST_TRACES }, (_, i) =>
    fastTrace(i, at((SLOW_WINDOWS[0] ?? 0) - FAST_TRACES + i) + 2_000),
  );
  const slowFrom = at(SLOW_WINDOWS[0] ?? 0);
  const seconds = { from: slowFrom - (FAST_TRACES + 1) * WINDOW_MS, to: slowFrom + 120_000 };
  const instance = { runtime: "node 20.20.2", agentVersion: "0.1.0", startUnixMs: fromMs };
  const headers: [Partial<BatchHeader>, MadeTrace[]][] = [
    [
      {
        host: hostOf("web-1"),
        apps: [
          {
            app: "shop",
            apdexTMs: 500,
            instances: [{ ...instance, instance: "i1", pid: 101, appVersion: "1.4.0" }],
          },
        ],
        actions: windows((i) => requests(at(i), fastUs(i))),
        hostSeconds: hostSeconds(seconds, () => false),
      },
      fast,
    ],
    [
      {
        host: hostOf("web-2"),
        apps: [
          {
            app: "shop",
            apdexTMs: 500,
            instances: [{ ...instance, instance: "i2", pid: 102, appVersion: "1.5.0" }],
          },
          { app: "billing", apdexTMs: 1_000, instances: [] },
        ],
        actions: [
          ...windows((i) =>
            requests(at(i), SLOW_WINDOWS.includes(i) ? [...fastUs(i), ...slowUs(i)] : fastUs(i)),
          ),
          // Far beyond the axis.
          requests(at(40), [95_000_000]),
        ],
        hostSeconds: hostSeconds(seconds, (ms) => ms >= slowFrom && ms < slowFrom + 60_000),
        processSeconds: [{ app: "shop", instance: "i2", pid: 102, ...processSeconds(seconds, slowFrom) }],
        hostSnapshot: snapshot((slowFrom + 20_000) / 1_000),
        events: [crash(toMs - 3_600_000)],
      },
      traces,
    ],
  ];
  return {
    batches: headers.map(([header, parts]) =>
      batchFile(
        randomUUID(),
        1,
        { createdUnixMs: toMs, ...header, traces: parts.map(({ summary }) => summary) },
        parts.map(({ frame }) => frame),
      ),
    ),
    fromMs,
    toMs,
    longTraceId: traces[0]?.summary.traceId ?? "",
    requests: 2 * WINDOWS * FAST + SLOW_WINDOWS.length * SLOW + 1,
  };
}

function windows<T>(make: (i: number) => T): T[] {
  return Array.from({ length: WINDOWS }, (_, i) => make(i));
}

function hostOf(name: string): HostIdentity {
  return {
    id: name.padEnd(32, "0"),
    name,
    os: "Debian GNU/Linux 12",
    kernel: "6.1.0",
    arch: "x64",
    cpuModel: "",
    cores: 4,
    memTotalBytes: 8e9,
    virtualization: "kvm",
    bootUnixMs: 0,
    daemonVersion: "0.1.0",
    nodeVersion: "20.20.2",
  };
}

/** Between 8 and 40 ms, the same each time. */
function fastUs(window: number): number[] {
  return Array.from({ length: FAST }, (_, i) => Math.round(8_000 * 1.08 ** ((i * 7 + window * 3) % 21)));
}

function slowUs(window: number): number[] {
  return Array.from({ length: SLOW }, (_, i) => 800_000 + ((window * 5 + i * 3) % 17) * 60_000);
}

function requests(windowMs: number, durationsUs: readonly number[]): ActionRow {
  const counts = new Map<number, number>();
  for (const us of durationsUs) counts.set(bucketOf(us), (counts.get(bucketOf(us)) ?? 0) + 1);
  const sumUs = durationsUs.reduce((sum, us) => sum + us, 0);
  const satisfied = durationsUs.filter((us) => us <= 500_000).length;
  return oneRequest("shop", ACTION, {
    tsSec: windowMs / 1_000,
    requests: durationsUs.length,
    satisfied,
    frustrated: durationsUs.length - satisfied,
    sumUs,
    maxUs: Math.max(...durationsUs),
    codeUs: sumUs,
    histogram: sparseHistogram(counts),
  });
}

const byDisk: Verdict = {
  causes: [
    {
      kind: "disk",
      metric: "psiIoSomeRatio",
      unit: "ratio",
      value: 0.62,
      usual: 0.01,
      share: 0.7,
      process: { pid: 900, command: "tar -czf /backup.tgz", cpuRatio: 0.9 },
    },
  ],
  time: { part: "database", ratio: 0.8, target: "db:5432" },
  confidence: "high",
  doubts: [],
  baselineSeconds: 120,
  seconds: 2,
};
const byNothing: Verdict = { ...byDisk, causes: [], confidence: "low" };

function slowTraces(at: (window: number) => number): MadeTrace[] {
  const long = madeTrace(1_000, at(SLOW_WINDOWS[1] ?? 0) + 2_300, longSpans(), {
    instance: "i2",
    verdict: byDisk,
    spans: longSpans().length + LOST_SPANS,
  });
  const others = Array.from({ length: SLOW_TRACES - 1 }, (_, i) =>
    madeTrace(
      1_001 + i,
      at(SLOW_WINDOWS[i % SLOW_WINDOWS.length] ?? 0) + 1_000 + i * 37,
      [
        { id: 1, parent: 0, name: ACTION, kind: 1, atMs: 0, durationMs: 900 + i * 20 },
        call(2, 1, "INSERT carts", STATEMENT, 10, 800),
      ],
      { instance: "i2", verdict: i + 1 < BY_DISK ? byDisk : byNothing },
    ),
  );
  return [long, ...others];
}

/** Spans of one request: a write that waits, reads beside it, many like reads, and one whose parent did not come. */
function longSpans(): [MadeSpan, ...MadeSpan[]] {
  const reads = Array.from({ length: 12 }, (_, i) =>
    call(20 + i, 3, "SELECT prices", "select ?", 120 + i * 9, 8),
  );
  return [
    { id: 1, parent: 0, name: ACTION, kind: 1, atMs: 0, durationMs: LONG_MS },
    { id: 2, parent: 1, name: "middleware auth", kind: 0, atMs: 2, durationMs: 40 },
    { id: 3, parent: 1, name: "loadCart", kind: 0, atMs: 60, durationMs: 400 },
    ...reads,
    call(4, 1, "INSERT carts", STATEMENT, 480, 2_800),
    call(5, 1, "GET cart", "", 500, 4, "redis"),
    { id: 6, parent: 99, name: "render", kind: 0, atMs: 3_300, durationMs: 80 },
  ];
}

function call(
  id: number,
  parent: number,
  name: string,
  query: string,
  atMs: number,
  durationMs: number,
  system = "postgresql",
): MadeSpan {
  const attributes = { "db.system.name": system, ...(query === "" ? {} : { "db.query.text": query }) };
  return { id, parent, name, kind: 2, atMs, durationMs, attributes };
}

function fastTrace(i: number, startMs: number): MadeTrace {
  return madeTrace(
    10 + i,
    startMs,
    [
      { id: 1, parent: 0, name: ACTION, kind: 1, atMs: 0, durationMs: 12 + (i % 9) },
      call(2, 1, "SELECT carts", "select * from carts", 1, 3),
    ],
    { reason: "random" },
  );
}

function hostSeconds(
  { from, to }: { from: number; to: number },
  isBusy: (ms: number) => boolean,
): SecondsTable {
  const tsSec = Array.from({ length: (to - from) / 1_000 }, (_, i) => from / 1_000 + i)
    // Three seconds did not arrive.
    .filter((second) => second < to / 1_000 - 85 || second >= to / 1_000 - 82);
  const column = (quiet: number, busy: number): number[] =>
    tsSec.map((second) => (isBusy(second * 1_000) ? busy : quiet) * (1 + ((second * 7) % 5) / 20));
  const user = column(0.12, 0.2);
  const iowait = column(0.01, 0.5);
  return {
    tsSec,
    columns: {
      cpuUserRatio: user,
      cpuSystemRatio: column(0.04, 0.08),
      cpuNiceRatio: column(0, 0),
      cpuIowaitRatio: iowait,
      cpuIrqRatio: column(0, 0),
      cpuSoftirqRatio: column(0.005, 0.01),
      cpuStealRatio: column(0.002, 0.02),
      cpuIdleRatio: user.map((share, i) => 1 - share - (iowait[i] ?? 0)),
      psiCpuSomeRatio: column(0.006, 0.04),
      psiIoSomeRatio: column(0.01, 0.62),
      psiMemorySomeRatio: column(0, 0),
      procsRunnable: column(1, 3).map(Math.round),
      load1: column(0.4, 2.4),
      memTotalBytes: column(8e9, 8e9),
      memUsedBytes: column(3e9, 3.2e9),
    },
  };
}

function processSeconds({ from, to }: { from: number; to: number }, slowFrom: number): SecondsTable {
  const tsSec = Array.from({ length: (to - from) / 1_000 }, (_, i) => from / 1_000 + i);
  const isSlow = (second: number): boolean =>
    second * 1_000 >= slowFrom && second * 1_000 < slowFrom + 60_000;
  return {
    tsSec,
    columns: {
      cpuRatio: tsSec.map((second) => (isSlow(second) ? 0.08 : 0.2)),
      eventLoopDelayP99Ms: tsSec.map((second) => (isSlow(second) ? 42 : 11)),
      gcPauseMs: tsSec.map((second) => (second % 4 === 0 ? 18 : null)),
    },
  };
}

function snapshot(tsSec: number): BatchHeader["hostSnapshot"] {
  const process = { user: "root", rssBytes: 1e7, threads: 1 };
  return {
    tsSec,
    coreBusyRatios: [0.2],
    disks: [],
    interfaces: [],
    filesystems: [],
    topProcesses: [
      { ...process, pid: 102, command: "node server.js", cpuRatio: 0.95 },
      { ...process, pid: 900, command: "tar -czf /backup.tgz", cpuRatio: 0.9 },
    ],
  };
}

function crash(tsMs: number): AppEvent {
  return {
    id: "c".repeat(32),
    tsMs,
    app: "billing",
    instance: "i9",
    pid: 4_242,
    runtime: "node 20.20.2",
    startUnixMs: tsMs - 60_000,
    kind: "crash",
    title: "Killed by the kernel for lack of memory",
    exitCode: null,
    error: null,
    inFlight: [],
    inFlightUnixMs: null,
    lastCalls: [],
    crashWindowMs: null,
    spansLostAtLeast: 0,
    curve: { tsSec: [], rssBytes: [], cpuRatio: [], heapUsedBytes: [], eventLoopDelayP99Ms: [] },
    evidence: {
      connection: "closed",
      signal: 9,
      exitStatus: null,
      cgroup: "",
      cgroupVersion: null,
      cgroupProcesses: null,
      oomKills: 1,
      hostOomKills: 1,
      countersUnixMs: null,
      memoryLimitBytes: null,
      memoryUsedBytes: null,
      memoryLimitHits: null,
      rssBytes: null,
      rssUnixMs: null,
      notBeforeUnixMs: tsMs - 1,
      notAfterUnixMs: tsMs,
    },
  };
}
