import type { StatusReport } from "@apm-daemon/protocol";

/** A healthy daemon with one app; `more` replaces top-level fields. */
export function sampleStatus(more: Partial<StatusReport> = {}): StatusReport {
  return {
    version: "0.1.0",
    pid: 4_711,
    startUnixMs: 1_790_000_000_000,
    host: "web-1",
    health: "ok",
    problems: [],
    self: { cpuRatio: 0.004, rssBytes: 65_011_712 },
    hostSecond: {
      cpuIdleRatio: 0.877,
      cpuIowaitRatio: 0.01,
      cpuStealRatio: null,
      load1: 0.52,
      load5: 0.4,
      load15: 0.3,
      memUsedBytes: 3_221_225_472,
      memTotalBytes: 8_589_934_592,
      swapUsedBytes: 0,
      netReceiveBytesPerSecond: 12_288,
      netTransmitBytesPerSecond: 1_024,
    },
    agentSocket: "/run/apm-daemon/agent.sock",
    apps: [
      {
        app: "shop",
        instances: [
          { instance: "a", pid: 1, runtime: "node 20.20.2", cpuRatio: 0.2, rssBytes: 104_857_600 },
          { instance: "b", pid: 2, runtime: "node 20.20.2", cpuRatio: null, rssBytes: null },
        ],
        requests: 1_234,
        errors: 12,
        throughputRpm: 1_234,
        apdex: 0.984,
        avgMs: 12.34,
      },
    ],
    intake: { connections: 2, frames: 99, spans: 12_345, bytes: 1_048_576, refused: 0, malformed: 1 },
    journal: { bytes: 2_097_152, segments: 1, position: 2_097_152, sealed: 1_048_576, capBytes: 268_435_456 },
    outbox: { batches: 0, bytes: 0, oldestUnixMs: null, capBytes: 536_870_912 },
    uplink: {
      url: "ws://127.0.0.1:8460",
      state: "connected",
      reason: "",
      lastAckUnixMs: 1_790_000_056_000,
      batchesAcked: 6,
      bytesSent: 34_567,
    },
    dropped: {},
    ...more,
  };
}
