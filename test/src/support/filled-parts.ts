import type { AppEvent, BatchHeader, SecondsTable, Verdict } from "@apm-daemon/protocol";

/** Where a text of a batch stands; who makes one says what it is. */
export type FilledPlace =
  | "host"
  | "os"
  | "app"
  | "action"
  | "statement"
  | "database"
  | "cache"
  | "service"
  | "operation"
  | "command"
  | "error"
  | "stack"
  | "counter"
  | "process"
  | "part"
  | "span"
  | "version";

/** What stands there. */
export type FilledText = (place: FilledPlace) => string;

export function verdictOf(text: FilledText): Verdict {
  return {
    causes: [
      {
        kind: "disk",
        metric: "psiIoSomeRatio",
        unit: "ratio",
        value: 0.62,
        usual: 0.01,
        share: 0.7,
        process: { pid: 900, command: text("process"), cpuRatio: 0.9 },
      },
      {
        kind: "database",
        metric: "durationMs",
        unit: "ms",
        value: 800,
        usual: 4,
        share: 0.2,
        target: text("database"),
        operation: text("operation"),
      },
    ],
    time: { part: "database", ratio: 0.8, target: text("database") },
    confidence: "high",
    doubts: ["close_causes"],
    baselineSeconds: 120,
    seconds: 2,
  };
}

const SECONDS = 300;

export function hostSeconds(fromSec: number): SecondsTable {
  const column = (value: number): number[] =>
    Array.from({ length: SECONDS }, (_, i) => value * (1 + (i % 5) / 20));
  return {
    tsSec: Array.from({ length: SECONDS }, (_, i) => fromSec + i),
    columns: {
      cpuUserRatio: column(0.3),
      cpuSystemRatio: column(0.1),
      cpuIowaitRatio: column(0.05),
      cpuStealRatio: column(0.01),
      cpuIdleRatio: column(0.5),
      load1: column(1),
      procsRunnable: column(1),
      psiCpuSomeRatio: column(0.05),
      psiIoSomeRatio: column(0.2),
      psiMemorySomeRatio: column(0),
      memTotalBytes: column(8e9),
      memUsedBytes: column(3e9),
    },
  };
}

export function processSeconds(fromSec: number): SecondsTable {
  const column = (value: number): number[] => Array.from({ length: SECONDS }, () => value);
  return {
    tsSec: Array.from({ length: SECONDS }, (_, i) => fromSec + i),
    columns: { cpuRatio: column(0.2), rssBytes: column(9e7), eventLoopDelayP99Ms: column(12) },
  };
}

export function snapshotOf(text: FilledText, tsSec: number): BatchHeader["hostSnapshot"] {
  const name = text("part");
  return {
    tsSec,
    coreBusyRatios: [0.2, 0.9],
    disks: [{ name, readBytesPerSecond: 1e6, writeBytesPerSecond: 2e6, busyRatio: 0.5, awaitMs: 3 }],
    interfaces: [
      {
        name,
        receiveBytesPerSecond: 1e5,
        transmitBytesPerSecond: 2e5,
        errorsPerSecond: 0,
        dropsPerSecond: 1,
      },
    ],
    filesystems: [{ mount: name, type: name, sizeBytes: 1e11, usedBytes: 9e10, availableBytes: 1e10 }],
    topProcesses: [
      { pid: 900, user: name, command: text("process"), cpuRatio: 0.9, rssBytes: 1e7, threads: 3 },
      { pid: 101, user: name, command: text("process"), cpuRatio: 0.2, rssBytes: 9e7, threads: 11 },
    ],
  };
}

export function endOf(text: FilledText, instance: string, tsMs: number, traceId: string): AppEvent {
  const tsSec = Array.from({ length: 60 }, (_, i) => tsMs / 1_000 - 60 + i);
  const column = (value: number): number[] => tsSec.map((_, i) => value * (1 + i / 60));
  const error = { type: text("error"), message: text("error"), stack: text("stack") };
  return {
    id: instance,
    tsMs,
    app: text("app"),
    instance,
    pid: 101,
    runtime: text("version"),
    error,
    startUnixMs: tsMs - 600_000,
    kind: "crash",
    title: text("error"),
    exitCode: null,
    inFlight: [{ action: text("action"), traceId, ageMs: 4_000 }],
    inFlightUnixMs: tsMs - 500,
    lastCalls: [
      {
        endUnixMs: tsMs - 700,
        durationUs: 4_000,
        category: "database",
        system: text("part"),
        traceId,
        name: text("operation"),
        target: text("database"),
        statement: text("statement"),
        error: true,
      },
    ],
    curve: {
      tsSec,
      rssBytes: column(1e8),
      cpuRatio: column(0.4),
      heapUsedBytes: column(5e7),
      eventLoopDelayP99Ms: column(20),
    },
    crashWindowMs: 100,
    spansLostAtLeast: 2,
    evidence: {
      connection: "closed",
      signal: 9,
      exitStatus: null,
      cgroup: text("part"),
      cgroupVersion: 2,
      cgroupProcesses: 2,
      oomKills: 1,
      hostOomKills: 1,
      countersUnixMs: tsMs - 1_000,
      memoryLimitBytes: 2e8,
      memoryUsedBytes: 1.9e8,
      memoryLimitHits: 7,
      rssBytes: 1.8e8,
      rssUnixMs: tsMs - 1_000,
      notBeforeUnixMs: tsMs - 1,
      notAfterUnixMs: tsMs,
    },
  };
}
