import type { BatchHeader, ErrorRow, OperationRow } from "@apm-daemon/protocol";
import {
  histogramOf,
  SEALED_MS,
  sampleHeader,
  sampleHost,
  sampleRequests,
  WINDOW_SEC,
} from "./sample-batch.ts";
import { type SampleSpan, spansFrame, traceSummary } from "./sample-trace.ts";

export const SELECT = "00000000000000aa";
export const UPDATE = "00000000000000ab";
const id = (n: number): string => n.toString(16).padStart(16, "0");
const traceId = (n: number): string => n.toString(16).padStart(32, "0");

/** Calls of one operation by their durations. */
export function sampleCalls(
  durationsMs: readonly number[],
  changes: Partial<OperationRow> = {},
): OperationRow {
  const durationsUs = durationsMs.map((ms) => ms * 1_000);
  return {
    tsSec: WINDOW_SEC,
    app: "shop",
    action: "GET /a",
    category: "database",
    system: "postgresql",
    target: "db:5432",
    operation: "SELECT a",
    statement: SELECT,
    calls: durationsMs.length,
    errors: 0,
    sumUs: durationsUs.reduce((sum, us) => sum + us, 0),
    maxUs: Math.max(...durationsUs),
    histogram: histogramOf(durationsUs),
    ...changes,
  };
}

const mysql = {
  system: "mysql",
  target: "db:3306",
  operation: "UPDATE b",
  statement: UPDATE,
  action: "POST /b",
};
const stock = {
  category: "external",
  system: "http",
  target: "stock:80",
  operation: "GET",
  statement: "",
} as const;
const pay = { ...stock, target: "pay.example:443", operation: "POST" };

function sampleError(changes: Partial<ErrorRow>): ErrorRow {
  return {
    tsSec: WINDOW_SEC,
    app: "shop",
    action: "GET /a",
    group: "00000000000000e1",
    type: "TypeError",
    message: "no card 1",
    stack: "at pay",
    count: 1,
    traceId: "",
    ...changes,
  };
}

/** A request of the shop that asks the stock app and the payment service. */
function shopSpans(n: number, calls: readonly [target: string, port: number, ms: number][]): SampleSpan[] {
  return [
    { spanId: id(n), parentSpanId: "", name: "GET /a", kind: 1, startMs: n, durationMs: 100 },
    ...calls.map(([address, port, durationMs], i) => ({
      spanId: id(n + 1 + i),
      parentSpanId: id(n),
      name: "call",
      kind: 2,
      startMs: n + i,
      durationMs,
      attributes: {
        "http.request.method": address === "pay.example" ? "POST" : "GET",
        "server.address": address,
        "server.port": port,
      },
    })),
  ];
}

function asked(n: number, parent: number): SampleSpan {
  return { spanId: id(n), parentSpanId: id(parent), name: "GET /stock", kind: 1, startMs: n, durationMs: 20 };
}

/** A shop with two databases, a cache and two services, of which one is another app; each figure is easily added up by hand. */
export function callingApps(): { header: BatchHeader; frames: Buffer[] }[] {
  const first = shopSpans(0x100, [
    ["stock", 80, 30],
    ["pay.example", 443, 60],
  ]);
  const second = shopSpans(0x200, [["pay.example", 443, 50]]);
  // Behind the balancer both apps were seen.
  const third = shopSpans(0x300, [
    ["balancer", 80, 5],
    ["balancer", 80, 6],
  ]);
  const stockParts = [asked(0x110, 0x101)];
  const balanced = [asked(0x310, 0x301), asked(0x320, 0x302)];
  const summary = (
    n: number,
    root: SampleSpan,
    app: string,
    spans: number,
  ): ReturnType<typeof traceSummary> => traceSummary(traceId(n), root, { app, spans });
  const [firstRoot, secondRoot, thirdRoot] = [first, second, third].map(([root]) => root as SampleSpan);
  const roots = [firstRoot, secondRoot, thirdRoot] as SampleSpan[];
  const shopHeader = sampleHeader({
    apps: [{ app: "shop", apdexTMs: 500, instances: [] }],
    actions: [sampleRequests([100_000, 300_000], { action: "GET /a" })],
    operations: [
      sampleCalls([10, 20, 30]),
      sampleCalls([40], { action: "POST /b", errors: 1 }),
      sampleCalls([100], { tsSec: WINDOW_SEC + 20 }),
      sampleCalls([5, 5], { operation: "SELECT c", statement: "00000000000000ac" }),
      sampleCalls([50, 150], { ...mysql, errors: 2 }),
      sampleCalls([1, 1, 2], {
        category: "cache",
        system: "redis",
        target: "cache:6379",
        operation: "GET",
        statement: "",
      }),
      sampleCalls([2], {
        category: "cache",
        system: "redis",
        target: "cache:6379",
        operation: "SET",
        statement: "",
      }),
      sampleCalls([30], stock),
      sampleCalls([60, 50], { ...pay, errors: 1 }),
      sampleCalls([5, 6], { ...stock, target: "balancer:80" }),
    ],
    statements: [
      { app: "shop", fingerprint: SELECT, system: "postgresql", text: "SELECT a FROM t WHERE id = ?" },
    ],
    errors: [
      sampleError({ count: 3, traceId: traceId(1) }),
      sampleError({
        tsSec: WINDOW_SEC + 10,
        count: 2,
        action: "POST /b",
        message: "no card 2",
        traceId: traceId(2),
      }),
      sampleError({ group: "00000000000000e2", type: "RangeError", message: "too far", count: 4 }),
      sampleError({
        group: "00000000000000e3",
        type: "RangeError",
        message: "",
        count: 1,
        tsSec: WINDOW_SEC + 10,
      }),
    ],
    traces: [first, second, third].map((spans, i) =>
      summary(i + 1, roots[i] as SampleSpan, "shop", spans.length),
    ),
  });
  const stockHeader = sampleHeader({
    host: sampleHost({ name: "web-2", id: "other" }),
    createdUnixMs: SEALED_MS + 10_000,
    apps: ["stock", "other"].map((app) => ({ app, apdexTMs: 500, instances: [] })),
    actions: [sampleRequests([20_000], { app: "stock", action: "GET /stock" })],
    operations: [sampleCalls([9], { ...mysql, app: "stock", action: "GET /stock", statement: "" })],
    errors: [sampleError({ count: 10, traceId: "" })],
    traces: [
      summary(1, stockParts[0] as SampleSpan, "stock", 1),
      summary(3, balanced[0] as SampleSpan, "stock", 1),
      summary(3, balanced[1] as SampleSpan, "other", 1),
    ],
  });
  return [
    {
      header: shopHeader,
      frames: [first, second, third].map((spans, i) => spansFrame(traceId(i + 1), spans)),
    },
    {
      header: stockHeader,
      frames: [
        spansFrame(traceId(1), stockParts),
        spansFrame(traceId(3), balanced.slice(0, 1)),
        spansFrame(traceId(3), balanced.slice(1)),
      ],
    },
  ];
}
