import {
  type BatchHeader,
  type FoundSummary,
  type HostIdentity,
  MAX_ATTRIBUTE_CHARS,
  MAX_BUCKET,
  MAX_NAME_CHARS,
  MAX_REPEATS_PER_TRACE,
  MAX_STACK_FRAMES,
  MAX_STATEMENT_CHARS,
} from "@apm-daemon/protocol";
import * as z from "zod";
import { appEvents } from "./event-schema.ts";
import { listOf, numbersThat, recordOf } from "./fail-fast.ts";
import { verdict } from "./verdict-schema.ts";

/**
 * What the store accepts of a batch's header: hostile input until it passed here. Texts are bounded at four times what
 * daemons keep, so that a daemon's marks of truncation never matter; unknown keys of newer daemons are left out.
 */
const SLACK = 4;
const name = z.string().max(SLACK * MAX_NAME_CHARS);
const shownName = name.min(1);
const message = z.string().max(SLACK * MAX_ATTRIBUTE_CHARS);
const stack = z.string().max(SLACK * MAX_STACK_FRAMES * MAX_NAME_CHARS);
const u16 = z.int().min(0).max(65_535);
const u32 = z.int().min(0).max(4_294_967_295);
const whole = z.int().min(0);
const amount = z.number().min(0);
const unixMs = z.number().min(0).max(4_294_967_295_000);
const tsSec = u32;

const upTo =
  (max: number) =>
  (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
const u32s = numbersThat(upTo(4_294_967_295), "whole numbers of 32 bits");
const histogram = z
  .object({
    buckets: numbersThat(upTo(MAX_BUCKET), `buckets of 0 to ${MAX_BUCKET}`, MAX_BUCKET + 1),
    counts: u32s,
  })
  .refine(({ buckets, counts }) => buckets.length === counts.length, "as many counts as buckets")
  .refine(
    ({ buckets }) => buckets.every((bucket, i) => i === 0 || bucket > (buckets[i - 1] ?? 0)),
    "ascending buckets",
  );

const samples: z.ZodType<(number | null)[]> = numbersThat(
  (value) => value === null || Number.isFinite(value),
  "numbers or null",
  100_000,
);
const secondsShape = {
  tsSec: numbersThat(upTo(4_294_967_295), "Unix seconds", 100_000),
  columns: recordOf(name, samples),
};
const sameLengths = (table: { tsSec: number[]; columns: Record<string, unknown[]> }): boolean =>
  Object.values(table.columns).every((column) => column.length === table.tsSec.length);
const LENGTHS = "each column as long as tsSec";

export const HostIdentitySchema: z.ZodType<HostIdentity> = z.object({
  id: shownName,
  name: shownName,
  os: name,
  kernel: name,
  arch: name,
  cpuModel: name,
  cores: whole,
  memTotalBytes: amount,
  virtualization: name,
  bootUnixMs: unixMs,
  daemonVersion: name,
  nodeVersion: name,
  timeZone: z.exactOptional(name),
  packages: z.exactOptional(
    z.object({
      node: name,
      libc: name,
      installed: whole.nullable(),
      servers: listOf(z.object({ name, version: name }), SLACK * 32),
    }),
  ),
});

const app = z.object({
  app: shownName,
  apdexTMs: amount,
  instances: listOf(
    z.object({
      instance: name,
      pid: u32,
      runtime: name,
      agentVersion: name,
      startUnixMs: unixMs,
      appVersion: z.exactOptional(name),
      containerId: z.exactOptional(name),
      systemdUnit: z.exactOptional(name),
    }),
  ),
});

const snapshot = z.object({
  tsSec,
  coreBusyRatios: numbersThat(Number.isFinite, "numbers"),
  disks: listOf(
    z.object({
      name,
      readBytesPerSecond: z.number(),
      writeBytesPerSecond: z.number(),
      busyRatio: z.number(),
      awaitMs: z.number(),
    }),
  ),
  interfaces: listOf(
    z.object({
      name,
      receiveBytesPerSecond: z.number(),
      transmitBytesPerSecond: z.number(),
      errorsPerSecond: z.number(),
      dropsPerSecond: z.number(),
    }),
  ),
  filesystems: listOf(
    z.object({
      mount: message,
      type: name,
      sizeBytes: z.number(),
      usedBytes: z.number(),
      availableBytes: z.number(),
    }),
  ),
  topProcesses: listOf(
    z.object({
      pid: u32,
      user: name,
      command: message,
      cpuRatio: z.number(),
      rssBytes: z.number(),
      threads: z.number(),
      openFds: z.exactOptional(z.number()),
      ioReadBytesPerSecond: z.exactOptional(z.number()),
      ioWriteBytesPerSecond: z.exactOptional(z.number()),
    }),
  ),
});

const kind = z.enum(["web", "background"]);

const action = z.object({
  tsSec,
  app: shownName,
  action: shownName,
  kind,
  status: u16,
  requests: u32,
  errors: u32,
  satisfied: u32,
  tolerating: u32,
  frustrated: u32,
  sumUs: amount,
  maxUs: amount,
  codeUs: amount,
  databaseUs: amount,
  cacheUs: amount,
  externalUs: amount,
  queueUs: amount,
  histogram,
});

const operation = z.object({
  tsSec,
  app: shownName,
  action: shownName,
  category: z.enum(["database", "cache", "external"]),
  system: name,
  target: name,
  operation: name,
  statement: name,
  calls: u32,
  errors: u32,
  sumUs: amount,
  maxUs: amount,
  histogram,
});

const spanId = z.string().regex(/^[0-9a-f]{16}$/, "16 hex digits");

const traceShape = {
  traceId: z.string().regex(/^[0-9a-f]{32}$/, "32 hex digits"),
  rootSpanId: spanId,
  app: shownName,
  instance: name,
  action: shownName,
  kind,
  startUnixMs: unixMs,
  durationUs: amount,
  status: u16,
  error: z.boolean(),
  spans: u32,
  repeats: z.exactOptional(
    listOf(
      z.object({
        parentSpanId: spanId,
        system: name,
        operation: name,
        statement: name,
        calls: u32,
        totalUs: amount,
      }),
      SLACK * MAX_REPEATS_PER_TRACE,
    ),
  ),
  verdict: z.exactOptional(verdict),
};

/** Of a part that a daemon found in its journal. */
export const FoundSummarySchema: z.ZodType<FoundSummary> = z.object({
  ...traceShape,
  reason: z.enum(["fetched", "unfinished"]),
});

export const BatchHeaderSchema: z.ZodType<BatchHeader> = z.object({
  version: z.literal(1),
  stream: z.guid().lowercase(),
  number: whole,
  createdUnixMs: unixMs,
  host: HostIdentitySchema,
  apps: listOf(app),
  hostSeconds: z.object(secondsShape).refine(sameLengths, LENGTHS).nullable(),
  hostSnapshot: snapshot.nullable(),
  processSeconds: listOf(
    z.object({ ...secondsShape, app: shownName, instance: name, pid: u32 }).refine(sameLengths, LENGTHS),
  ),
  actions: listOf(action),
  operations: listOf(operation),
  statements: listOf(
    z.object({
      fingerprint: name,
      app: shownName,
      system: name,
      text: z.string().max(SLACK * MAX_STATEMENT_CHARS),
    }),
  ),
  errors: listOf(
    z.object({
      tsSec,
      app: shownName,
      action: shownName,
      group: name,
      type: name,
      message,
      stack,
      count: u32,
      traceId: name,
    }),
  ),
  counters: z.exactOptional(listOf(z.object({ tsSec, app: shownName, name: shownName, amount }))),
  slowStatements: z.exactOptional(
    listOf(
      z.object({
        endUnixMs: unixMs,
        app: shownName,
        action: shownName,
        system: name,
        target: name,
        operation: name,
        statement: name,
        text: z.string().max(SLACK * MAX_STATEMENT_CHARS),
        durationUs: amount,
        error: z.boolean(),
        traceId: name,
        stack,
      }),
    ),
  ),
  ledger: listOf(
    z.object({
      tsSec,
      app: shownName,
      created: z.int().optional(),
      received: z.int(),
      dropped: recordOf(name, whole),
    }),
  ),
  ledgerState: z
    .object({
      apps: listOf(
        z.object({ app: shownName, created: whole, received: z.int(), dropped: recordOf(name, whole) }),
      ),
      instances: listOf(
        z.object({
          instance: name,
          app: shownName,
          created: whole,
          framed: whole,
          reported: whole,
          ended: whole,
        }),
      ),
    })
    .optional(),
  events: z.exactOptional(appEvents),
  traces: listOf(z.object({ ...traceShape, reason: z.enum(["error", "slow", "n_plus_one", "random"]) })),
  journal: z.object({ sealed: whole, replayFrom: whole }),
  partOf: z.exactOptional(z.object({ stream: z.guid().lowercase(), number: whole })),
});
