import type { BatchHeader } from "@apm-daemon/protocol";
import { batchFile, oneRequest } from "./batches.ts";

/** The name that the hand-made uplink says in its hello: a daemon of an older version. */
export const HOST = "foreign";
export const WINDOWS = 60;
/** Windows of which nothing came, and those of which a third was lost. */
const isMissing = (n: number): boolean => n >= 20 && n < 27;
const isPartial = (n: number): boolean => n >= 30 && n < 33;

/** The "till" app's and its host's last ten minutes, with known gaps: 530 of 545 spans, 580 of 600 seconds. */
export function tillBatch(stream: string, firstSec: number): Buffer {
  const numbers = Array.from({ length: WINDOWS }, (_, n) => n).filter((n) => !isMissing(n));
  const seconds = Array.from({ length: 600 }, (_, i) => i).filter((i) => i < 100 || i >= 120);
  const host: BatchHeader["host"] = {
    id: "0123456789abcdef0123456789abcdef",
    name: HOST,
    os: "linux",
    kernel: "6.1",
    arch: "x64",
    cpuModel: "",
    cores: 2,
    memTotalBytes: 1_000,
    virtualization: "",
    bootUnixMs: 0,
    daemonVersion: "0.0.0",
    nodeVersion: "20.0.0",
    timeZone: "Asia/Kolkata",
  };
  return batchFile(stream, 1, {
    host,
    apps: [{ app: "till", apdexTMs: 500, instances: [] }],
    hostSeconds: {
      tsSec: seconds.map((i) => firstSec + i),
      columns: {
        cpuIdleRatio: seconds.map(() => 0.75),
        cpuUserRatio: seconds.map(() => 0.25),
        load1: seconds.map((i) => i / 100),
      },
    },
    actions: numbers.map((n) =>
      oneRequest("till", "GET /pay", {
        tsSec: firstSec + n * 10,
        requests: 10,
        satisfied: 10,
        sumUs: 10_000 * (n + 1),
      }),
    ),
    ledger: numbers.map((n) => ({
      tsSec: firstSec + n * 10,
      app: "till",
      received: 10,
      dropped: isPartial(n) ? { corrupt: 5 } : {},
      created: isPartial(n) ? 15 : 10,
    })),
  });
}
