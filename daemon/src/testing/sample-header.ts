import { type BatchHeader, encodeBatch } from "@apm-daemon/protocol";

export const STREAM = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

/** A batch with nothing in it but what a test says. */
export function sampleHeader(number: number, changes: Partial<BatchHeader> = {}): BatchHeader {
  return {
    version: 1,
    stream: STREAM,
    number,
    createdUnixMs: 1_790_000_000_000,
    host: {
      id: "1",
      name: "test",
      os: "linux",
      kernel: "6",
      arch: "x64",
      cpuModel: "",
      cores: 1,
      memTotalBytes: 1,
      virtualization: "",
      bootUnixMs: 0,
      daemonVersion: "0",
      nodeVersion: "20",
    },
    apps: [],
    hostSeconds: null,
    hostSnapshot: null,
    processSeconds: [],
    actions: [],
    operations: [],
    statements: [],
    errors: [],
    ledger: [],
    traces: [],
    journal: { sealed: number * 100, replayFrom: number * 100 - 50 },
    ...changes,
  };
}

export function sampleBatch(number: number, changes: Partial<BatchHeader> = {}): Buffer {
  return encodeBatch({ header: sampleHeader(number, changes), frames: [] }, "gzip");
}
