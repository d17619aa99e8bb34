import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Verdict } from "@apm-daemon/protocol";
import { RunningCollector } from "../testing/running-collector.ts";
import { sampleHeader, sampleHost, WINDOW_SEC } from "../testing/sample-batch.ts";
import { type SampleSpan, spansFrame, traceSummary } from "../testing/sample-trace.ts";

const BASE = WINDOW_SEC * 1000;
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const id = (n: number): string => n.toString(16).padStart(16, "0");

const checkout: SampleSpan[] = [
  {
    spanId: id(1),
    parentSpanId: "",
    name: "POST /checkout",
    kind: 1,
    startMs: 100,
    durationMs: 80,
    error: true,
    attributes: {
      "http.request.method": "POST",
      "http.response.status_code": 500,
      ratio: 0.5,
      cached: false,
    },
    extra: {
      statusMessage: "no card",
      events: [{ name: "exception", offsetNs: 70_000_000, attributes: { "exception.type": "TypeError" } }],
      attributes: { tags: ["a", "b"] },
    },
  },
  {
    spanId: id(2),
    parentSpanId: id(1),
    name: "SELECT users",
    kind: 2,
    startMs: 110,
    durationMs: 5,
    attributes: { "db.system.name": "postgresql", "db.query.text": "select ?" },
  },
  {
    spanId: id(3),
    parentSpanId: id(1),
    name: "GET session",
    kind: 2,
    startMs: 105,
    durationMs: 1,
    attributes: { "db.system.name": "redis" },
  },
  {
    spanId: id(4),
    parentSpanId: id(1),
    name: "POST",
    kind: 2,
    startMs: 120,
    durationMs: 50,
    attributes: { "server.address": "pay" },
  },
  { spanId: id(5), parentSpanId: id(2), name: "parse", kind: 0, startMs: 112, durationMs: 1 },
];
/** On another host, whose clock is 40 ms behind: its entry seems to begin before the call that made it. */
const payment: SampleSpan[] = [
  { spanId: id(6), parentSpanId: id(4), name: "POST /pay", kind: 1, startMs: 90, durationMs: 30 },
  { spanId: id(7), parentSpanId: id(6), name: "queue", kind: 3, startMs: 95, durationMs: 1 },
];
const job: SampleSpan = {
  spanId: id(8),
  parentSpanId: "",
  name: "nightly",
  kind: 4,
  startMs: 16_000,
  durationMs: 9,
};
const home: SampleSpan = {
  spanId: id(9),
  parentSpanId: "",
  name: "GET /",
  kind: 1,
  startMs: 15_000,
  durationMs: 900,
};
const repeats = [
  {
    parentSpanId: id(9),
    system: "mysql",
    operation: "SELECT users",
    statement: "574ec9451ec664c1",
    calls: 48,
    totalUs: 210_500,
  },
];
const verdict: Verdict = {
  causes: [
    {
      kind: "cpu_contention",
      metric: "psiCpuSomeRatio",
      unit: "ratio",
      value: 0.93,
      usual: 0.02,
      share: 0.6,
      process: { pid: 77, command: "backup", cpuRatio: 0.9 },
    },
    {
      kind: "database",
      metric: "durationMs",
      unit: "ms",
      value: 300,
      usual: null,
      share: 0.3,
      target: "db-1:5432",
      operation: "574ec9451ec664c1",
    },
  ],
  time: { part: "code", ratio: 0.7, target: "" },
  confidence: "medium",
  doubts: ["short_request"],
  baselineSeconds: 300,
  seconds: 2,
};
const traceIds = { job: "1".repeat(32), home: "2".repeat(32), damaged: "3".repeat(32) };

interface Trace {
  traceId: string;
  startUnixMs: number;
  durationMs: number;
  roots: { rootSpanId: string; app: string; host: string }[];
  spans: {
    spanId: string;
    parentSpanId: string | null;
    category: string;
    kind: string;
    [name: string]: unknown;
  }[];
}

describe("traces", () => {
  let collector: RunningCollector;
  before(async () => {
    collector = await RunningCollector.start();
    const uplink = await collector.uplink();
    const [root, pay] = [checkout[0], payment[0]];
    assert.ok(root && pay);
    const damaged = spansFrame(traceIds.damaged, [home, { ...job, parentSpanId: home.spanId }]);
    const answers = [
      await uplink.deliver(
        sampleHeader({
          traces: [
            traceSummary(TRACE, root, { status: 500, reason: "error", spans: 5 }),
            traceSummary(traceIds.job, job, { kind: "background", status: 0 }),
            traceSummary(traceIds.home, home, { reason: "n_plus_one", repeats, verdict }),
            traceSummary(traceIds.damaged, { ...home, durationMs: 1 }, { startUnixMs: BASE - 7_200_000 }),
          ],
        }),
        [
          spansFrame(TRACE, checkout),
          spansFrame(traceIds.job, [job]),
          spansFrame(traceIds.home, [home]),
          damaged.subarray(0, damaged.length - 5),
        ],
      ),
      await uplink.deliver(
        sampleHeader({
          host: sampleHost({ name: "web-2" }),
          traces: [traceSummary(TRACE, pay, { app: "payment", instance: "i2", spans: 2 })],
        }),
        [spansFrame(TRACE, payment)],
      ),
    ];
    assert.ok(
      answers.every(({ type }) => type === "ack"),
      JSON.stringify(answers),
    );
    await uplink.close();
  });
  after(() => collector.end());

  const list = async (query: string): Promise<string[]> =>
    (await collector.get<{ traces: { action: string }[] }>(`apps/shop/traces?${query}`)).body.traces.map(
      ({ action }) => action,
    );

  test("are listed by duration or by time, filtered and limited", async () => {
    assert.deepEqual(await list(""), ["GET /", "POST /checkout", "nightly"]);
    assert.deepEqual(await list("sort=recent"), ["nightly", "GET /", "POST /checkout"]);
    assert.deepEqual(await list("sort=recent&limit=1"), ["nightly"]);
    assert.deepEqual(await list("error=true"), ["POST /checkout"]);
    assert.deepEqual(await list("error=false"), ["GET /", "nightly"]);
    assert.deepEqual(await list("repeats=true"), ["GET /"]);
    assert.deepEqual(await list("repeats=false"), ["POST /checkout", "nightly"]);
    assert.deepEqual(await list(`action=${encodeURIComponent("GET /")}`), ["GET /"]);
    assert.deepEqual(await list(`from=${BASE}&to=${BASE + 10_000}`), ["POST /checkout"]);
  });

  test("are listed with all that the daemon said of them", async () => {
    const { body } = await collector.get<{ traces: unknown[] }>("apps/shop/traces?error=true");
    assert.deepEqual(body.traces, [
      {
        traceId: TRACE,
        rootSpanId: id(1),
        app: "shop",
        host: "web-1",
        instance: "i1",
        action: "POST /checkout",
        kind: "web",
        startUnixMs: BASE + 100,
        durationMs: 80,
        status: 500,
        error: true,
        spans: 5,
        reason: "error",
      },
    ]);
  });

  test("say what was called often below one span, in the list and alone", async () => {
    const expected = repeats.map(({ totalUs, ...repeat }) => ({ ...repeat, totalTimeMs: totalUs / 1_000 }));
    const listed = await collector.get<{ traces: unknown[] }>("apps/shop/traces?repeats=true");
    const { body } = await collector.get<Trace>(`traces/${traceIds.home}`);
    for (const trace of [listed.body.traces[0], body.roots[0]]) {
      assert.deepEqual((trace as { reason: string }).reason, "n_plus_one");
      assert.deepEqual((trace as { repeats: unknown }).repeats, expected);
    }
  });

  test("say why they were slow, as their daemon found out", async () => {
    const listed = await collector.get<{ traces: { verdict?: unknown }[] }>("apps/shop/traces");
    assert.deepEqual(
      listed.body.traces.map((trace) => trace.verdict),
      [verdict, undefined, undefined],
    );
    const { body } = await collector.get<Trace & { roots: { verdict?: unknown }[] }>(
      `traces/${traceIds.home}`,
    );
    assert.deepEqual(body.roots[0]?.verdict, verdict);
  });

  test("a verdict that no daemon makes is refused with its batch", async () => {
    const uplink = await collector.uplink();
    const wrong = [
      { ...verdict, confidence: "certain" },
      { ...verdict, causes: Array.from({ length: 21 }, () => verdict.causes[0]) },
      { ...verdict, causes: [{ ...verdict.causes[0], share: 1.5 }] },
    ] as unknown as Verdict[];
    for (const [i, one] of wrong.entries()) {
      const traces = [traceSummary("4".repeat(32), { ...home, spanId: id(20 + i) }, { verdict: one })];
      const answer = await uplink.deliver(sampleHeader({ traces }), [
        spansFrame("4".repeat(32), [{ ...home, spanId: id(20 + i) }]),
      ]);
      assert.equal(answer.type, "nack", JSON.stringify(answer));
    }
    await uplink.close();
  });

  test("come whole from all hosts, parents before children although a clock is behind", async () => {
    const { body } = await collector.get<Trace>(`traces/${TRACE}`);
    assert.deepEqual([body.traceId, body.startUnixMs, body.durationMs], [TRACE, BASE + 90, 90]);
    assert.deepEqual(
      body.roots.map(({ rootSpanId, app, host }) => [rootSpanId, app, host]),
      [
        [id(6), "payment", "web-2"],
        [id(1), "shop", "web-1"],
      ],
    );
    assert.deepEqual(
      body.spans.map(({ spanId, parentSpanId, kind, category }) => [spanId, parentSpanId, kind, category]),
      [
        [id(1), null, "server", "web"],
        [id(3), id(1), "client", "cache"],
        [id(2), id(1), "client", "database"],
        [id(5), id(2), "internal", "internal"],
        [id(4), id(1), "client", "external"],
        [id(6), id(4), "server", "web"],
        [id(7), id(6), "producer", "external"],
      ],
    );
  });

  test("give a span's attributes of every type, its events and its status", async () => {
    const { body } = await collector.get<Trace>(`traces/${TRACE}`);
    assert.deepEqual(body.spans[0], {
      spanId: id(1),
      parentSpanId: null,
      app: "shop",
      host: "web-1",
      instance: "i1",
      name: "POST /checkout",
      kind: "server",
      category: "web",
      startUnixMs: BASE + 100,
      durationMs: 80,
      error: true,
      attributes: {
        "http.request.method": "POST",
        "http.response.status_code": 500,
        ratio: 0.5,
        cached: false,
        tags: ["a", "b"],
      },
      events: [{ name: "exception", startUnixMs: BASE + 170, attributes: { "exception.type": "TypeError" } }],
      statusMessage: "no card",
    });
    const { body: background } = await collector.get<Trace>(`traces/${traceIds.job}`);
    assert.deepEqual([background.spans[0]?.category, background.spans[0]?.kind], ["background", "consumer"]);
  });

  test("give the spans before the damage when a frame is damaged", async () => {
    const { status, body } = await collector.get<Trace>(`traces/${traceIds.damaged}`);
    assert.equal(status, 200);
    assert.deepEqual(
      body.spans.map(({ spanId }) => spanId),
      [id(9)],
    );
  });
});
