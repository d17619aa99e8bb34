import { createHash } from "node:crypto";
import { type BatchHeader, bucketOf, type OperationRow } from "@apm-daemon/protocol";
import { batchFile, oneRequest } from "./batches.ts";
import {
  endOf,
  type FilledText,
  hostSeconds,
  processSeconds,
  snapshotOf,
  verdictOf,
} from "./filled-parts.ts";
import { madeTrace } from "./made-trace.ts";

export interface Filling {
  stream: string;
  /** Makes ids; another one for each batch. */
  number: number;
  nowMs: number;
  text: FilledText;
}

const WINDOW_MS = 10_000;
const WINDOWS = 30;
const CALLS = 3;
const SLOW_US = 900_000;

/** A batch of one app on one host in which everything is that a page can show: five minutes that end with now. */
export function filledBatch({ stream, number, nowMs, text }: Filling): Buffer {
  const toMs = Math.floor(nowMs / WINDOW_MS) * WINDOW_MS;
  const fromMs = toMs - WINDOWS * WINDOW_MS;
  const app = text("app");
  const action = text("action");
  const version = text("version");
  const instance = number.toString(16).padStart(32, "0");
  const windows = Array.from({ length: WINDOWS }, (_, i) => fromMs / 1_000 + i * 10);
  const statement = fingerprintOf(text("statement"));
  const call = { app, action, statement: "", category: "cache", system: "redis" } as const;
  const database = { system: text("part"), target: text("database"), operation: text("operation") };
  const calls = [
    { ...call, ...database, category: "database", statement },
    { ...call, target: text("cache"), operation: text("command") },
    { ...call, category: "external", system: "http", target: text("service"), operation: text("operation") },
  ] as const;
  const verdict = verdictOf(text);
  const trace = madeTrace(
    number,
    toMs - 5_000,
    [
      { id: 1, parent: 0, name: action, kind: 1, atMs: 0, durationMs: SLOW_US / 1_000 },
      {
        id: 2,
        parent: 1,
        name: text("span"),
        kind: 2,
        atMs: 10,
        durationMs: 800,
        attributes: {
          "db.system.name": text("part"),
          "db.query.text": text("statement"),
          "server.address": text("database"),
          [text("part")]: text("part"),
        },
      },
    ],
    { app, instance, verdict, error: true, status: 500, repeats: repeatsOf(text, statement) },
  );
  const { traceId } = trace.summary;
  return batchFile(
    stream,
    number,
    {
      host: {
        id: instance,
        name: text("host"),
        os: text("os"),
        kernel: text("version"),
        arch: "x64",
        cpuModel: text("part"),
        cores: 2,
        memTotalBytes: 8e9,
        virtualization: text("part"),
        bootUnixMs: fromMs,
        daemonVersion: version,
        nodeVersion: version,
        timeZone: "Asia/Kolkata",
      },
      apps: [{ app, apdexTMs: 500, instances: [instanceOf(text, instance, fromMs)] }],
      actions: windows.flatMap((tsSec) => [
        oneRequest(app, action, {
          tsSec,
          requests: 5,
          satisfied: 5,
          sumUs: 5_000,
          codeUs: 5_000,
          histogram: histogramOf(1_000, 5),
        }),
        oneRequest(app, action, { tsSec, status: 500, errors: 1, satisfied: 0, frustrated: 1, ...SLOW }),
        oneRequest(app, text("span"), { tsSec, kind: "background", status: 0 }),
      ]),
      operations: windows.flatMap((tsSec) => calls.map((one) => operationOf(tsSec, one))),
      statements: [{ fingerprint: statement, app, system: text("part"), text: text("statement") }],
      slowStatements: [
        {
          app,
          action,
          statement,
          ...database,
          text: text("statement"),
          stack: text("stack"),
          endUnixMs: toMs - 5_000,
          durationUs: SLOW_US,
          error: true,
          traceId,
        },
      ],
      errors: windows.map((tsSec) => ({
        tsSec,
        app,
        action,
        count: 1,
        traceId,
        group: fingerprintOf(text("error")),
        type: text("error"),
        message: text("error"),
        stack: text("stack"),
      })),
      counters: windows.map((tsSec) => ({ tsSec, app, name: text("counter"), amount: 2 })),
      ledger: windows.map((tsSec) => ({ tsSec, app, created: 12, received: 10, dropped: { corrupt: 2 } })),
      events: [endOf(text, instance, toMs - 60_000, traceId)],
      hostSeconds: hostSeconds(fromMs / 1_000),
      hostSnapshot: snapshotOf(text, toMs / 1_000 - 1),
      processSeconds: [{ app, instance, pid: 101, ...processSeconds(fromMs / 1_000) }],
      traces: [trace.summary],
    },
    [trace.frame],
  );
}

/** Of a statement or an error, as any 16 hex digits that are its own. */
export function fingerprintOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

const SLOW = {
  sumUs: SLOW_US,
  maxUs: SLOW_US,
  codeUs: SLOW_US / 2,
  databaseUs: SLOW_US / 2,
  histogram: histogramOf(SLOW_US, 1),
};

function histogramOf(us: number, count: number): { buckets: number[]; counts: number[] } {
  return { buckets: [bucketOf(us)], counts: [count] };
}

function operationOf(
  tsSec: number,
  call: Pick<OperationRow, "app" | "action" | "category" | "system" | "target" | "operation" | "statement">,
): OperationRow {
  const sumUs = CALLS * 4_000;
  return {
    ...call,
    tsSec,
    calls: CALLS,
    errors: 1,
    sumUs,
    maxUs: 4_000,
    histogram: histogramOf(4_000, CALLS),
  };
}

function instanceOf(
  text: FilledText,
  instance: string,
  startUnixMs: number,
): BatchHeader["apps"][number]["instances"][number] {
  const version = text("version");
  return {
    instance,
    pid: 101,
    startUnixMs,
    runtime: version,
    agentVersion: version,
    appVersion: version,
    containerId: text("part"),
    systemdUnit: text("part"),
  };
}

function repeatsOf(
  text: FilledText,
  statement: string,
): NonNullable<BatchHeader["traces"][number]["repeats"]> {
  const repeated = { parentSpanId: "0000000100000001", system: text("part"), operation: text("operation") };
  return [{ ...repeated, statement, calls: 12, totalUs: 100_000 }];
}
