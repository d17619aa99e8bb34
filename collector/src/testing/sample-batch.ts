import { randomUUID } from "node:crypto";
import {
  type ActionRow,
  type Batch,
  type BatchHeader,
  bucketOf,
  encodeBatch,
  type HostIdentity,
  type SparseHistogram,
  sparseHistogram,
} from "@apm-daemon/protocol";

/** A full window of 2026-11-23, 08:00:00 UTC, and the moment at which its batch was sealed. */
export const WINDOW_SEC = 1_795_420_800;
export const SEALED_MS: number = (WINDOW_SEC + 10) * 1000 + 200;

export function sampleHost(changes: Partial<HostIdentity> = {}): HostIdentity {
  return {
    id: "4d5e6f",
    name: "web-1",
    os: "Debian GNU/Linux 12",
    kernel: "6.1.0",
    arch: "x64",
    cpuModel: "a processor",
    cores: 4,
    memTotalBytes: 8_000_000_000,
    virtualization: "kvm",
    bootUnixMs: 1_795_000_000_000,
    daemonVersion: "0.1.0",
    nodeVersion: "20.19.0",
    ...changes,
  };
}

/** A header of a host on which nothing happened, changed where a test says so. */
export function sampleHeader(changes: Partial<BatchHeader> = {}): BatchHeader {
  return {
    version: 1,
    stream: randomUUID(),
    number: 1,
    createdUnixMs: SEALED_MS,
    host: sampleHost(),
    apps: [{ app: "shop", apdexTMs: 500, instances: [] }],
    hostSeconds: null,
    hostSnapshot: null,
    processSeconds: [],
    actions: [],
    operations: [],
    statements: [],
    errors: [],
    ledger: [],
    traces: [],
    journal: { sealed: 0, replayFrom: 0 },
    ...changes,
  };
}

export function histogramOf(durationsUs: readonly number[]): SparseHistogram {
  const counts = new Map<number, number>();
  for (const durationUs of durationsUs) {
    const bucket = bucketOf(durationUs);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  return sparseHistogram(counts);
}

/** Requests of one action by their durations, as a daemon counts them with T = 500 ms; all time is the app's own code. */
export function sampleRequests(durationsUs: readonly number[], changes: Partial<ActionRow> = {}): ActionRow {
  const errors = (changes.status ?? 200) >= 500 ? durationsUs.length : 0;
  const satisfied = errors > 0 ? 0 : durationsUs.filter((us) => us <= 500_000).length;
  const tolerating = errors > 0 ? 0 : durationsUs.filter((us) => us > 500_000 && us <= 2_000_000).length;
  const sumUs = durationsUs.reduce((sum, us) => sum + us, 0);
  return {
    tsSec: WINDOW_SEC,
    app: "shop",
    action: "GET /",
    kind: "web",
    status: 200,
    requests: durationsUs.length,
    errors,
    satisfied,
    tolerating,
    frustrated: durationsUs.length - satisfied - tolerating,
    sumUs,
    maxUs: Math.max(...durationsUs),
    codeUs: sumUs,
    databaseUs: 0,
    cacheUs: 0,
    externalUs: 0,
    queueUs: 0,
    histogram: histogramOf(durationsUs),
    ...changes,
  };
}

export function encoded(header: BatchHeader, frames: Batch["frames"] = []): Buffer {
  return encodeBatch({ header, frames }, "gzip");
}
