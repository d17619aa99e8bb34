import {
  type AppEvent,
  MAX_APP_EVENT_BYTES,
  MAX_ATTRIBUTE_CHARS,
  MAX_EVENTS_PER_BATCH,
  MAX_NAME_CHARS,
  MAX_STACK_FRAMES,
} from "@apm-daemon/protocol";
import * as z from "zod";
import { listOf } from "./fail-fast.ts";

/** As in header-schema.ts: hostile input until it passed here, bounded at four times what daemons keep. */
const SLACK = 4;
const name = z.string().max(SLACK * MAX_NAME_CHARS);
const shownName = name.min(1);
const text = z.string().max(SLACK * MAX_ATTRIBUTE_CHARS);
const stack = z.string().max(SLACK * MAX_STACK_FRAMES * MAX_NAME_CHARS);
const traceId = z.string().regex(/^[0-9a-f]{32}$/, "32 hex digits");
const u32 = z.int().min(0).max(4_294_967_295);
const whole = z.int().min(0);
const amount = z.number().min(0);
const unixMs = z.number().min(0).max(4_294_967_295_000);
/** Seconds of a curve, calls, requests: daemons send 60, 20 and 20. */
const MAX_LIST = 256;

const curveColumn = listOf(z.number().nullable(), MAX_LIST);
const curve = z
  .object({
    tsSec: listOf(u32, MAX_LIST),
    rssBytes: curveColumn,
    cpuRatio: curveColumn,
    heapUsedBytes: curveColumn,
    eventLoopDelayP99Ms: curveColumn,
  })
  .refine(
    ({ tsSec, ...columns }) => Object.values(columns).every((column) => column.length === tsSec.length),
    "each column as long as tsSec",
  );

const evidence = z.object({
  connection: z.enum(["bye", "closed", "refused", "none"]),
  signal: z.int().min(0).max(127).nullable(),
  exitStatus: z.int().min(0).max(255).nullable(),
  cgroup: text,
  cgroupVersion: z.union([z.literal(1), z.literal(2)]).nullable(),
  cgroupProcesses: whole.nullable(),
  oomKills: whole.nullable(),
  hostOomKills: whole.nullable(),
  countersUnixMs: unixMs.nullable(),
  memoryLimitBytes: amount.nullable(),
  memoryUsedBytes: amount.nullable(),
  memoryLimitHits: whole.nullable(),
  rssBytes: amount.nullable(),
  rssUnixMs: unixMs.nullable(),
  notBeforeUnixMs: unixMs,
  notAfterUnixMs: unixMs,
});

const appEvent: z.ZodType<AppEvent> = z
  .object({
    id: z.string().regex(/^[0-9a-f]{32}$/, "32 hex digits"),
    tsMs: unixMs,
    app: shownName,
    instance: name,
    pid: u32,
    runtime: name,
    startUnixMs: unixMs,
    kind: z.enum(["crash", "exit", "vanished"]),
    title: text.min(1),
    exitCode: z.int().nullable(),
    error: z.object({ type: shownName, message: text, stack }).nullable(),
    evidence,
    inFlight: listOf(z.object({ action: shownName, traceId, ageMs: amount }), MAX_LIST),
    inFlightUnixMs: unixMs.nullable(),
    lastCalls: listOf(
      z.object({
        endUnixMs: unixMs,
        durationUs: amount,
        category: z.enum(["database", "cache", "external"]),
        system: name,
        name,
        target: name,
        statement: text,
        error: z.boolean(),
        traceId,
      }),
      MAX_LIST,
    ),
    curve,
    crashWindowMs: amount.nullable(),
    spansLostAtLeast: whole,
  })
  .refine(
    (event) => Buffer.byteLength(JSON.stringify(event)) <= SLACK * MAX_APP_EVENT_BYTES,
    "a smaller event",
  );

export const appEvents: z.ZodType<AppEvent[]> = listOf(appEvent, SLACK * MAX_EVENTS_PER_BATCH);
