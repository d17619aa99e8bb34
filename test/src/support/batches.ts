import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ActionRow, type Batch, type BatchHeader, decodeBatch, encodeBatch } from "@apm-daemon/protocol";
import type { StateDir } from "./system.ts";

/** One request of an action in the window of now. */
export function oneRequest(app: string, action: string, changes: Partial<ActionRow> = {}): ActionRow {
  return {
    tsSec: Math.floor(Date.now() / 10_000) * 10,
    app,
    action,
    kind: "web",
    status: 200,
    requests: 1,
    errors: 0,
    satisfied: 1,
    tolerating: 0,
    frustrated: 0,
    sumUs: 1_000,
    maxUs: 1_000,
    codeUs: 1_000,
    databaseUs: 0,
    cacheUs: 0,
    externalUs: 0,
    queueUs: 0,
    histogram: { buckets: [319], counts: [1] },
    ...changes,
  };
}

/** Text of about so many bytes that no codec makes much shorter. */
export function noise(bytes: number): string {
  return randomBytes(Math.ceil(bytes / 2)).toString("hex");
}

export function batchFile(
  stream: string,
  number: number,
  changes: Partial<BatchHeader>,
  frames: Batch["frames"] = [],
): Buffer {
  const header: BatchHeader = {
    version: 1,
    stream,
    number,
    createdUnixMs: Date.now(),
    host: {
      id: "0123456789abcdef0123456789abcdef",
      name: "made-by-hand",
      os: "linux",
      kernel: "6.1",
      arch: "x64",
      cpuModel: "",
      cores: 1,
      memTotalBytes: 1,
      virtualization: "",
      bootUnixMs: 0,
      daemonVersion: "0.0.0",
      nodeVersion: "20.0.0",
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
    journal: { sealed: 0, replayFrom: 0 },
    ...changes,
  };
  return encodeBatch({ header, frames }, "gzip");
}

export function outboxOf(stateDir: StateDir): string {
  return join(stateDir.path, "outbox");
}

/** The batches that wait to be sent. */
export function waitingBatches(stateDir: StateDir): Batch[] {
  const folder = outboxOf(stateDir);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".batch"))
    .map((name) => decodeBatch(readFileSync(join(folder, name))));
}

/** All that a batch holds, uncompressed. */
export function textsOfBatch({ header, frames }: Batch): Uint8Array[] {
  return [Buffer.from(JSON.stringify(header)), ...frames];
}

/** Puts a batch where a daemon that starts finds it. */
export function putIntoOutbox(stateDir: StateDir, number: number, file: Buffer): void {
  mkdirSync(outboxOf(stateDir), { recursive: true });
  writeFileSync(join(outboxOf(stateDir), batchFileName(number)), file);
}

export function batchFileName(number: number): string {
  return `${String(number).padStart(12, "0")}.batch`;
}
