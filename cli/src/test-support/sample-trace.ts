import type { FetchedTraceAnswer, SpanAnswer } from "@apm-daemon/protocol";

export const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
export const START_MS = 1_790_000_000_000;

export function sampleSpan(n: number, parent: number | null, changes: Partial<SpanAnswer> = {}): SpanAnswer {
  return {
    spanId: idOf(n),
    parentSpanId: parent === null ? null : idOf(parent),
    app: "shop",
    host: "web-1",
    instance: "i1",
    name: `span ${n}`,
    kind: "internal",
    category: "internal",
    startUnixMs: START_MS,
    durationMs: 1,
    error: false,
    attributes: {},
    events: [],
    statusMessage: null,
    ...changes,
  };
}

export function idOf(n: number): string {
  return n.toString(16).padStart(16, "0");
}

/** An order that went through three apps and failed at the bank. */
export function sampleTrace(changes: Partial<FetchedTraceAnswer> = {}): FetchedTraceAnswer {
  const at = (ms: number, durationMs: number) => ({ startUnixMs: START_MS + ms, durationMs });
  const query = (text: string) => ({ category: "database", attributes: { "db.query.text": text } }) as const;
  const stock = { app: "stock", host: "db-1" };
  const bank = { app: "payments-gateway", host: "pay-eu-west-1.internal" };
  const exception = {
    name: "exception",
    startUnixMs: START_MS + 300,
    attributes: {
      "exception.type": "CardDeclined",
      "exception.message": "the bank said no: insufficient funds\nstack",
    },
  };
  const spans = [
    sampleSpan(1, null, { name: "POST /checkout", category: "web", error: true, ...at(0, 412) }),
    sampleSpan(2, 1, {
      name: "SELECT users",
      ...query("SELECT id, name, email FROM users WHERE id = ? AND deleted_at IS NULL"),
      ...at(2, 4.2),
    }),
    sampleSpan(3, 1, { name: "GET db-1", category: "external", ...at(8, 90) }),
    sampleSpan(4, 3, { name: "GET /items/:id", category: "web", ...stock, ...at(12, 80) }),
    ...Array.from({ length: 12 }, (_, i) =>
      sampleSpan(20 + i, 4, { name: "GET item", category: "cache", ...stock, ...at(14 + i * 2, 0.8) }),
    ),
    sampleSpan(5, 4, {
      name: "SELECT items",
      ...query("SELECT * FROM items WHERE id IN (?)"),
      ...stock,
      ...at(40, 41.5),
    }),
    sampleSpan(6, 1, {
      name: "POST pay-eu-west-1.internal",
      category: "external",
      error: true,
      ...at(101, 300),
    }),
    sampleSpan(7, 6, {
      name: "POST /v2/charges/:merchant/:customer",
      category: "web",
      error: true,
      events: [exception],
      ...bank,
      ...at(104, 290),
    }),
    sampleSpan(8, 7, { name: "risk score", ...bank, ...at(110, 180) }),
    sampleSpan(9, 1, { name: "ROLLBACK", ...query("ROLLBACK"), ...at(404, 1.1) }),
  ];
  const root = {
    traceId: TRACE_ID,
    instance: "i1",
    kind: "web",
    status: 200,
    error: false,
    startUnixMs: START_MS,
    durationMs: 412,
    reason: "fetched",
  };
  const known = { oldestUnixMs: START_MS - 700_000, lastSeenUnixMs: START_MS + 60_000, gap: "" };
  return {
    traceId: TRACE_ID,
    startUnixMs: START_MS,
    durationMs: 412,
    roots: [
      {
        ...root,
        rootSpanId: idOf(1),
        app: "shop",
        host: "web-1",
        action: "POST /checkout",
        status: 502,
        error: true,
        spans: 5,
      },
      { ...root, rootSpanId: idOf(4), ...stock, action: "GET /items/:id", spans: 14 },
      { ...root, rootSpanId: idOf(7), ...bank, action: "POST /v2/charges/:merchant/:customer", spans: 2 },
    ],
    spans,
    hosts: [
      { host: "web-1", state: "found", spans: 5, ...known },
      { host: "db-1", state: "found", spans: 14, ...known },
      { host: "pay-eu-west-1.internal", state: "found", spans: 2, ...known, gap: "deadline" },
      { host: "web-2", state: "offline", spans: 0, ...known, oldestUnixMs: null },
      { host: "web-3", state: "past_ring", spans: 0, ...known, oldestUnixMs: START_MS + 5_000 },
      { host: "web-4", state: "silent", spans: 0, ...known, oldestUnixMs: null, gap: "deadline" },
    ],
    stored: true,
    ...changes,
  };
}
