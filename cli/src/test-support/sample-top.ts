import type { ProcessState, TopApp, TopReport } from "@apm-daemon/protocol";
import { sampleStatus } from "./sample-status.ts";

export function sampleTopApp(changes: Partial<TopApp> = {}): TopApp {
  return {
    app: "shop",
    instances: 2,
    requests: 1_234,
    errors: 12,
    throughputRpm: 1_234,
    apdex: 0.984,
    avgMs: 12.34,
    p95Ms: 88.1,
    cpuRatio: 0.2,
    rssBytes: 104_857_600,
    eventLoopDelayP99Ms: 21.5,
    ...changes,
  };
}

export function sampleProcess(changes: Partial<ProcessState> = {}): ProcessState {
  return {
    pid: 4_711,
    user: "www",
    command: "node shop.js",
    cpuRatio: 0.2,
    rssBytes: 104_857_600,
    threads: 11,
    ...changes,
  };
}

/** A host with two apps and three processes; `more` replaces top-level fields. */
export function sampleTop(more: Partial<TopReport> = {}): TopReport {
  const { version, startUnixMs, host, health, problems, self } = sampleStatus();
  return {
    version,
    startUnixMs,
    host,
    health,
    problems,
    self,
    nowUnixMs: startUnixMs + 60_000,
    cores: 4,
    hostSecond: {
      cpuUserRatio: 0.3,
      cpuSystemRatio: 0.1,
      cpuNiceRatio: 0,
      cpuIrqRatio: 0,
      cpuSoftirqRatio: 0,
      cpuIowaitRatio: 0.05,
      cpuStealRatio: 0.02,
      cpuIdleRatio: 0.53,
      load1: 0.52,
      load5: 0.4,
      load15: 0.3,
      procsRunnable: 2,
      procsBlocked: 1,
      memTotalBytes: 8_589_934_592,
      memUsedBytes: 3_221_225_472,
      memCachedBytes: 1_073_741_824,
      swapTotalBytes: 0,
      swapUsedBytes: 0,
      diskReadBytesPerSecond: 1_048_576,
      diskWriteBytesPerSecond: 2_048,
      diskBusyRatio: 0.95,
      diskAwaitMs: 3.25,
      netReceiveBytesPerSecond: 12_288,
      netTransmitBytesPerSecond: 1_024,
      tcpEstablished: 7,
      tcpRetransmitsPerSecond: 0,
      psiCpuSomeRatio: null,
      psiMemorySomeRatio: null,
      psiIoSomeRatio: null,
    },
    apps: [
      sampleTopApp(),
      sampleTopApp({
        app: "stock",
        instances: 1,
        throughputRpm: 30,
        requests: 30,
        errors: 0,
        apdex: 0.61,
        avgMs: 700,
        p95Ms: 2_100,
        cpuRatio: 0.9,
        rssBytes: null,
        eventLoopDelayP99Ms: 300,
      }),
    ],
    appsLeftOut: 0,
    processes: [
      sampleProcess({ pid: 9, command: "postgres", user: "postgres", cpuRatio: 0.7, threads: 1 }),
      sampleProcess(),
      sampleProcess({ pid: 12, command: "mariadbd", cpuRatio: 0.01, rssBytes: 2 ** 30, threads: 40 }),
    ],
    processesTsSec: Math.floor(startUnixMs / 1_000) + 58,
    ...more,
  };
}
