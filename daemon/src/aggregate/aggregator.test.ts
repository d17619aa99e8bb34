import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bucketOf, type RuntimeFrame } from "@apm-daemon/protocol";
import * as fc from "fast-check";
import { FrameWriter, KIND, spanId, type TestSpan } from "../testing/frame-writer.ts";
import { cut, expectedActions, plannedRequests, spansOf } from "../testing/request-trees.ts";
import type { TraceCandidate } from "../traces/trace-keeper.ts";
import { Aggregator, type AggregatorOptions } from "./aggregator.ts";
import { LossLedger } from "./loss-ledger.ts";

const START_US = 1_790_000_000_000_000;
const NOW_MS = START_US / 1_000;
const SHOP = { app: "shop", instance: "a".repeat(32), isKnownFromStart: true };
const APDEX_T_US = 500_000;

interface Counting {
  aggregator: Aggregator;
  ledger: LossLedger;
  candidates: TraceCandidate[];
  newApps: string[];
  frames: FrameWriter;
  /** Counts spans as one frame. */
  count: (...spans: TestSpan[]) => void;
}

function counting(limits: Partial<AggregatorOptions["limits"]> = {}): Counting {
  const ledger = new LossLedger();
  const candidates: TraceCandidate[] = [];
  const newApps: string[] = [];
  const frames = new FrameWriter();
  const aggregator = new Aggregator({
    limits: { actionsPerApp: 100, operationsPerApp: 100, openTraces: 1_000, ...limits },
    apdexTUs: () => APDEX_T_US,
    slowStatementUs: () => 500_000,
    traces: { offer: (candidate) => candidates.push(candidate) },
    ledger,
    onNewApp: (app) => newApps.push(app),
  });
  let position = 0;
  const count = (...spans: TestSpan[]): void =>
    aggregator.acceptSpans(SHOP, frames.payload(spans), (position += 100), NOW_MS);
  return { aggregator, ledger, candidates, newApps, frames, count };
}

function root(number: number, changes: Partial<TestSpan> = {}): TestSpan {
  const id = spanId(number);
  return {
    root: id,
    id,
    name: "GET /",
    kind: KIND.server,
    endUnixUs: START_US,
    durationUs: 1_000,
    attributes: { "http.response.status_code": 200 },
    ...changes,
  };
}

function query(rootNumber: number, changes: Partial<TestSpan> = {}): TestSpan {
  return {
    root: spanId(rootNumber),
    id: spanId(5_000 + rootNumber),
    name: "SELECT",
    kind: KIND.client,
    endUnixUs: START_US - 100,
    durationUs: 300,
    attributes: { "db.system.name": "postgresql", "db.query.text": "SELECT 1", "server.address": "db" },
    ...changes,
  };
}

test("requests, errors, Apdex zones, sums and maxima are exact, however their spans are cut into frames", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(plannedRequests, sizes, (requests, frameSizes) => {
      const { aggregator, ledger, count } = counting();
      const spans = spansOf(requests, START_US);
      for (const piece of cut(spans, frameSizes)) count(...piece);
      aggregator.abandon(Number.POSITIVE_INFINITY, NOW_MS);
      const { actions, operations, ledger: rows } = aggregator.drain();

      const found = new Map<string, Record<string, number>>();
      for (const { tsSec, action, kind, status, requests: number, errors, sumUs, maxUs, ...row } of actions) {
        const { satisfied, tolerating, frustrated } = row;
        const counted = { requests: number, errors, satisfied, tolerating, frustrated, sumUs, maxUs };
        found.set(`${tsSec} ${action} ${kind} ${status}`, counted);
        const parts = row.codeUs + row.databaseUs + row.cacheUs + row.externalUs;
        assert.ok(Math.abs(parts - sumUs) < 1e-3, `${parts} is not ${sumUs}`);
        assert.equal(
          row.histogram.counts.reduce((sum, bucket) => sum + bucket, 0),
          number,
        );
      }
      assert.deepEqual(found, expectedActions(requests, START_US, APDEX_T_US));

      const calls = requests.flatMap((request) => request.calls);
      const sum = (pick: (row: (typeof operations)[number]) => number): number =>
        operations.reduce((total, row) => total + pick(row), 0);
      assert.equal(
        sum((row) => row.calls),
        calls.length,
      );
      assert.equal(
        sum((row) => row.sumUs),
        calls.reduce((total, { durationUs }) => total + durationUs, 0),
      );
      assert.equal(
        sum((row) => row.errors),
        calls.filter(({ hasError }) => hasError).length,
      );
      assert.equal(
        rows.reduce((total, row) => total + row.received, 0),
        spans.length,
      );
      assert.equal(ledger.received, spans.length);
      assert.equal(aggregator.openRequests, 0);
    }),
    { numRuns: 200 },
  );
});

describe("a request", () => {
  test("is satisfying up to T, tolerable up to 4 T, and frustrating beyond or when it fails", () => {
    const zoneOf = (durationUs: number, hasError = false): string => {
      const { aggregator, count } = counting();
      count(root(1, { durationUs, hasError }));
      const { satisfied, tolerating, frustrated } = aggregator.drain().actions[0] ?? {};
      return `${satisfied}${tolerating}${frustrated}`;
    };
    assert.equal(zoneOf(APDEX_T_US), "100");
    assert.equal(zoneOf(APDEX_T_US + 1), "010");
    assert.equal(zoneOf(4 * APDEX_T_US), "010");
    assert.equal(zoneOf(4 * APDEX_T_US + 1), "001");
    assert.equal(zoneOf(1, true), "001");
  });

  test("is counted by its status code; what is no code counts as 0", () => {
    const codes = [200, 404, 599, 0, 99, 1_000, 200.5, -200, "200", true, Number.MAX_VALUE];
    const { aggregator, count } = counting();
    codes.forEach((code, i) => count(root(i + 1, { attributes: { "http.response.status_code": code } })));
    const byStatus = aggregator.drain().actions.map(({ status, requests }) => [status, requests]);
    assert.deepEqual(
      byStatus.sort(([a = 0], [b = 0]) => a - b),
      [
        [0, 8],
        [200, 1],
        [404, 1],
        [599, 1],
      ],
    );
  });

  test("fails with a status from 500 on, or when its span says so", () => {
    const { aggregator, count } = counting();
    count(
      root(1, { attributes: { "http.response.status_code": 499 } }),
      root(2, { attributes: { "http.response.status_code": 500 } }),
      root(3, { hasError: true }),
    );
    const { actions, errors } = aggregator.drain();
    assert.equal(
      actions.reduce((sum, row) => sum + row.errors, 0),
      2,
    );
    assert.deepEqual(errors.map(({ type, count: times, traceId }) => `${type} ${times} ${traceId}`).sort(), [
      `Error 1 ${spanId(3)}${spanId(3)}`,
      `HTTP 500 1 ${spanId(2)}${spanId(2)}`,
    ]);
  });

  test("shows the exception of a span below it when it has none of its own", () => {
    const exception = (type: string): TestSpan["extra"] & object => ({
      events: [{ name: "exception", offsetNs: 0, attributes: { "exception.type": type } }],
    });
    const { aggregator, count } = counting();
    count(query(1, { extra: exception("DatabaseError") }), root(1, { hasError: true }));
    count(
      query(2, { extra: exception("DatabaseError") }),
      root(2, { hasError: true, extra: exception("Own") }),
    );
    assert.deepEqual(
      aggregator
        .drain()
        .errors.map(({ type }) => type)
        .sort(),
      ["DatabaseError", "Own"],
    );
  });

  test("is background work when it was not asked for by a server span", () => {
    const { aggregator, count } = counting();
    count(root(1, { kind: KIND.consumer }), root(2, { kind: KIND.internal }), root(3));
    const kinds = aggregator.drain().actions.map(({ kind, requests }) => `${kind} ${requests}`);
    assert.deepEqual(kinds.sort(), ["background 2", "web 1"]);
  });

  test("brings the time it waited in front of the app, unless that is absurd", () => {
    const queueOf = (queueMs: number): number | undefined => {
      const { aggregator, count } = counting();
      count(root(1, { attributes: { "apm.queue_time_ms": queueMs } }));
      return aggregator.drain().actions[0]?.queueUs;
    };
    assert.equal(queueOf(12.5), 12_500);
    for (const absurd of [-1, 1e308, 3_600_001]) assert.equal(queueOf(absurd), 0);
  });

  test("without a name, or with an endless one, is counted under a name that a batch can hold", () => {
    const { aggregator, count } = counting();
    // The last character that fits would be cut in half.
    const wide = `${"y".repeat(254)}\u{1f600}`;
    count(root(1, { name: "" }), root(2, { name: "x".repeat(9_000) }), root(3, { name: wide }));
    assert.deepEqual(
      aggregator
        .drain()
        .actions.map(({ action }) => action)
        .sort(),
      ["(unnamed)", "x".repeat(255), "y".repeat(254)],
    );
  });

  test("beyond the limit of actions is counted as (other), none lost", () => {
    const { aggregator, count } = counting({ actionsPerApp: 3 });
    for (let i = 1; i <= 20; i++) count(root(i, { name: `GET /${i % 10}` }));
    const { actions } = aggregator.drain();
    const counted = actions.map(({ action, requests }) => `${action} ${requests}`).sort();
    assert.deepEqual(counted, ["(other) 14", "GET /1 2", "GET /2 2", "GET /3 2"]);
  });

  test("from a process with a broken clock is labelled with the time of its receipt", () => {
    for (const endUnixUs of [0, START_US - 3_600_000_001, START_US + 3_600_000_001, 2 ** 52]) {
      const { aggregator, count, candidates } = counting();
      count(root(1, { endUnixUs }));
      assert.equal(aggregator.drain().actions[0]?.tsSec, NOW_MS / 1_000, `${endUnixUs}`);
      assert.equal(candidates[0]?.summarise("random").startUnixMs, NOW_MS - 1);
    }
    const { aggregator, count } = counting();
    count(root(1, { endUnixUs: START_US - 3_600_000_000 }));
    assert.equal(aggregator.drain().actions[0]?.tsSec, NOW_MS / 1_000 - 3_600);
  });

  test("is offered to be kept, with the frames that hold its spans", () => {
    const { candidates, count } = counting();
    count(query(1));
    count(root(2));
    count(query(1, { id: spanId(77) }), root(1, { durationUs: 2_500, hasError: true }));
    const candidate = candidates.at(-1);
    assert.deepEqual(candidate?.positions, [100, 300]);
    assert.deepEqual(candidate?.summarise("slow"), {
      traceId: spanId(1) + spanId(1),
      rootSpanId: spanId(1),
      app: "shop",
      instance: SHOP.instance,
      action: "GET /",
      kind: "web",
      startUnixMs: NOW_MS - 2.5,
      durationUs: 2_500,
      status: 200,
      error: true,
      spans: 3,
      reason: "slow",
    });
  });
});

describe("a call", () => {
  test("is counted under its action with what it called", () => {
    const { aggregator, count } = counting();
    count(
      query(1, {
        durationUs: 1_024,
        attributes: {
          "db.system.name": "postgresql",
          "db.query.text": "SELECT * FROM items",
          "db.operation.name": "SELECT",
          "db.collection.name": "items",
          "server.address": "db",
          "server.port": 5432,
        },
      }),
      root(1),
    );
    const { operations, statements } = aggregator.drain();
    const fingerprint = statements[0]?.fingerprint ?? "";
    assert.match(fingerprint, /^[0-9a-f]{16}$/);
    assert.deepEqual(statements, [
      { fingerprint, app: "shop", system: "postgresql", text: "SELECT * FROM items" },
    ]);
    assert.deepEqual(operations, [
      {
        tsSec: NOW_MS / 1_000,
        app: "shop",
        action: "GET /",
        category: "database",
        system: "postgresql",
        target: "db:5432",
        operation: "SELECT items",
        statement: fingerprint,
        calls: 1,
        errors: 0,
        sumUs: 1_024,
        maxUs: 1_024,
        histogram: { buckets: [bucketOf(1_024)], counts: [1] },
      },
    ]);
  });

  test("of a statement that was told already is not told again in each batch", () => {
    const { aggregator, count } = counting();
    count(query(1), root(1));
    assert.equal(aggregator.drain().statements.length, 1);
    count(query(2), root(2));
    assert.equal(aggregator.drain().statements.length, 0);
  });

  test("that took long is told by itself: of each statement and action the slowest, with the stack of any", () => {
    const { aggregator, count } = counting();
    const slow = (id: number, durationUs: number, stack: string): TestSpan =>
      query(1, {
        id: spanId(id),
        durationUs,
        attributes: {
          "db.system.name": "postgresql",
          "db.query.text": "SELECT ?",
          "server.address": "db",
          ...(stack !== "" && { "code.stacktrace": stack }),
        },
      });
    count(slow(11, 499_999, ""), slow(12, 900_000, ""), slow(13, 500_000, "    at f (a.js:1:1)"), root(1));
    const { slowStatements, operations } = aggregator.drain();
    assert.equal(operations[0]?.calls, 3);
    assert.deepEqual(slowStatements, [
      {
        endUnixMs: (START_US - 100) / 1_000,
        app: "shop",
        action: "GET /",
        system: "postgresql",
        target: "db",
        operation: "SELECT",
        statement: operations[0]?.statement,
        text: "SELECT ?",
        durationUs: 900_000,
        error: false,
        traceId: spanId(1) + spanId(1),
        stack: "    at f (a.js:1:1)",
      },
    ]);
    assert.deepEqual(aggregator.drain().slowStatements, []);
  });

  test("that took long is told of 50 statements at most, the slowest of them", () => {
    const { aggregator, count } = counting();
    for (let i = 0; i < 60; i++) {
      const attributes = { "db.system.name": "mysql", "db.query.text": `SELECT ${"a".repeat(i + 1)}` };
      count(query(i, { durationUs: 500_000 + ((i * 7) % 60), attributes }), root(i));
    }
    const { slowStatements } = aggregator.drain();
    assert.deepEqual(
      slowStatements.map(({ durationUs }) => durationUs - 500_000).sort((a, b) => a - b),
      Array.from({ length: 50 }, (_, i) => i + 10),
    );
  });

  test("keeps the fraction of a µs of its duration", () => {
    const { aggregator, count } = counting();
    count(query(1, { durationUs: 0.137 }), root(1));
    assert.equal(aggregator.drain().operations[0]?.sumUs, 0.137);
  });

  test("to a cache has no statement, to a server its method", () => {
    const { aggregator, count } = counting();
    count(
      query(1, {
        attributes: { "db.system.name": "redis", "db.query.text": "GET key", "db.operation.name": "GET" },
      }),
      query(1, { id: spanId(9), attributes: { "http.request.method": "PUT", "server.address": "api" } }),
      root(1),
    );
    const { operations, statements } = aggregator.drain();
    assert.deepEqual(
      operations.map(({ category, system, operation, statement }) => [
        category,
        system,
        operation,
        statement,
      ]),
      [
        ["cache", "redis", "GET", ""],
        ["external", "http", "PUT", ""],
      ],
    );
    assert.deepEqual(statements, []);
  });

  test("outside of any request counts under (none), with the calls below it", () => {
    const { aggregator, count } = counting();
    count(
      query(1),
      root(1, { kind: KIND.client, name: "GET", attributes: { "http.request.method": "GET" } }),
    );
    const { actions, operations } = aggregator.drain();
    assert.deepEqual(actions, []);
    assert.deepEqual(
      operations.map(({ action, category, calls }) => `${action} ${category} ${calls}`).sort(),
      ["(none) database 1", "(none) external 1"],
    );
  });

  test("beyond the limit of operations counts as (other) of its category", () => {
    const { aggregator, count } = counting({ operationsPerApp: 4 });
    for (let i = 1; i <= 30; i++)
      count(query(i, { attributes: { "db.system.name": "x", "db.query.text": `${i}` } }), root(i));
    const { operations, statements } = aggregator.drain();
    const others = operations.filter(({ operation }) => operation === "(other)");
    assert.deepEqual(
      others.map(({ category, calls }) => [category, calls]),
      [["database", 26]],
    );
    assert.equal(statements.length, 4);
  });

  test("carries texts that a batch can hold, whatever it was sent with", () => {
    const long = "x".repeat(60_000);
    const { aggregator, count } = counting();
    count(
      query(1, {
        attributes: {
          "db.system.name": long,
          "db.query.text": long,
          "server.address": long,
          "server.port": 1,
        },
        name: long,
      }),
      root(1),
    );
    const { operations, statements } = aggregator.drain();
    assert.equal(statements[0]?.text.length, 4_096);
    for (const text of [operations[0]?.system, operations[0]?.operation]) assert.equal(text?.length, 255);
    assert.equal(operations[0]?.target.length, 257);
  });
});

describe("what does not end in order", () => {
  test("calls that end after their request count as (unfinished) once they are given up", () => {
    const { aggregator, count } = counting();
    count(root(1));
    count(query(1, { endUnixUs: START_US + 50 }));
    assert.equal(aggregator.oldestOpenPosition, 200);
    aggregator.abandon(0, NOW_MS + 899_000);
    assert.equal(aggregator.openRequests, 1);
    aggregator.abandon(0, NOW_MS + 900_001);
    assert.equal(aggregator.openRequests, 0);
    assert.equal(aggregator.oldestOpenPosition, null);
    const { actions, operations } = aggregator.drain();
    assert.equal(actions[0]?.requests, 1);
    assert.deepEqual(
      operations.map(({ action, calls }) => [action, calls]),
      [["(unfinished)", 1]],
    );
  });

  test("requests that opened before a position are given up, younger ones stay", () => {
    const { aggregator, count } = counting();
    for (let i = 1; i <= 4; i++) count(query(i));
    aggregator.abandon(300, NOW_MS);
    assert.equal(aggregator.oldestOpenPosition, 300);
    assert.equal(aggregator.openRequests, 2);
  });

  test("beyond the limit of open requests the oldest is given up, none of its calls lost", () => {
    const { aggregator, count } = counting({ openTraces: 10 });
    for (let i = 1; i <= 25; i++) count(query(i));
    assert.equal(aggregator.openRequests, 10);
    for (let i = 1; i <= 25; i++) count(root(i));
    const { actions, operations } = aggregator.drain();
    assert.equal(actions[0]?.requests, 25);
    assert.deepEqual(operations.map(({ action, calls }) => `${action} ${calls}`).sort(), [
      "(unfinished) 15",
      "GET / 10",
    ]);
  });
});

describe("a malformed frame", () => {
  test("counts up to its first bad byte; the rest is in the ledger", () => {
    for (const cutBytes of [1, 5, 60]) {
      const { aggregator, ledger, frames } = counting();
      const payload = frames.payload(Array.from({ length: 20 }, (_, i) => root(i + 1)));
      aggregator.acceptSpans(SHOP, payload.subarray(0, payload.length - cutBytes), 0, NOW_MS);
      const { actions } = aggregator.drain();
      const lost = ledger.dropped()["shop"]?.["frame_malformed"] ?? 0;
      assert.ok(lost >= 1 && lost < 5, `${lost} lost`);
      assert.equal((actions[0]?.requests ?? 0) + lost, 20);
      assert.equal(ledger.received, 20 - lost);
    }
  });

  test("never throws, and cannot claim more lost spans than it has bytes", () => {
    const { aggregator, ledger, frames } = counting();
    const payload = frames.payload([query(1, { extra: { statusMessage: "x" } }), root(1)]);
    let bytes = 0;
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (place, mask) => {
        const damaged = Buffer.from(payload);
        const at = place % damaged.length;
        damaged[at] = (damaged[at] as number) ^ mask;
        bytes += damaged.length;
        aggregator.acceptSpans(SHOP, damaged, 0, NOW_MS);
      }),
      { numRuns: 3_000 },
    );
    assert.ok((ledger.dropped()["shop"]?.["frame_malformed"] ?? 0) <= bytes);
    for (const { sumUs, queueUs, status } of aggregator.drain().actions)
      assert.ok(Number.isFinite(sumUs) && Number.isFinite(queueUs) && Number.isInteger(status));
  });
});

test("a gap that the agent tells of is in the ledger by reason", () => {
  const { aggregator } = counting();
  aggregator.acceptGap(SHOP, { dropped: { agent_ring_full: 3, constructor: 2 } }, NOW_MS);
  assert.equal(
    JSON.stringify(aggregator.drain().ledger),
    '[{"tsSec":1790000000,"app":"shop","created":5,"received":0,"dropped":{"agent_ring_full":3,"constructor":2}}]',
  );
});

test("an app is announced when it is first counted, once", () => {
  const { count, newApps } = counting();
  count(root(1));
  count(root(2));
  assert.deepEqual(newApps, ["shop"]);
});

test("a drain begins anew: windows that go on add up to the same", () => {
  const { aggregator, count } = counting();
  count(root(1));
  const first = aggregator.drain();
  count(root(2));
  const second = aggregator.drain();
  assert.deepEqual(
    [first, second].map(({ actions }) => actions[0]?.requests),
    [1, 1],
  );
  assert.deepEqual(aggregator.drain(), {
    actions: [],
    operations: [],
    statements: [],
    errors: [],
    counters: [],
    slowStatements: [],
    ledger: [],
  });
});

test("a request that the app wants ignored leaves no row and no trace, and its spans are received all the same", () => {
  const { aggregator, candidates, ledger, count } = counting();
  count(query(1), query(2));
  assert.equal(aggregator.openRequests, 2);
  count(root(1, { attributes: { "apm.ignored": true } }), root(2));
  const { actions, operations } = aggregator.drain();
  assert.equal(aggregator.openRequests, 0);
  assert.deepEqual([actions.length, actions[0]?.requests, operations[0]?.calls], [1, 1, 1]);
  assert.deepEqual([candidates.length, aggregator.requests], [1, 1]);
  assert.equal(ledger.received, 4);
});

test("an ignored root alone is not counted, another value of the mark is", () => {
  const { aggregator, count } = counting();
  count(root(1, { attributes: { "apm.ignored": true } }), root(2, { attributes: { "apm.ignored": "true" } }));
  assert.equal(aggregator.drain().actions[0]?.requests, 1);
});

test("what apps count themselves is added up by window, app and name, within bounds", () => {
  const { aggregator } = counting();
  const blog = { ...SHOP, app: "blog" };
  const runtime = (unixMs: number, counters?: Record<string, number>): RuntimeFrame =>
    ({ unixMs, ...(counters === undefined ? {} : { counters }) }) as RuntimeFrame;
  aggregator.acceptCounters(SHOP, runtime(NOW_MS, { mails: 1, __proto__: 1 }), NOW_MS);
  aggregator.acceptCounters(SHOP, runtime(NOW_MS + 9_999, { mails: 2.5 }), NOW_MS);
  aggregator.acceptCounters(SHOP, runtime(NOW_MS + 10_000, { mails: 4 }), NOW_MS);
  aggregator.acceptCounters(blog, runtime(NOW_MS), NOW_MS);
  // A clock that is wrong: when it was received counts.
  aggregator.acceptCounters(blog, runtime(0, { mails: 8 }), NOW_MS);
  const tsSec = NOW_MS / 1_000;
  assert.deepEqual(aggregator.drain().counters, [
    { tsSec, app: "shop", name: "mails", amount: 3.5 },
    { tsSec: tsSec + 10, app: "shop", name: "mails", amount: 4 },
    { tsSec, app: "blog", name: "mails", amount: 8 },
  ]);
  assert.deepEqual(aggregator.drain().counters, []);
  for (let i = 0; i < 202; i++) aggregator.acceptCounters(SHOP, runtime(NOW_MS, { [`c${i}`]: 1 }), NOW_MS);
  assert.equal(aggregator.heldRows, 201);
  const many = aggregator.drain().counters;
  assert.deepEqual([many.length, many.at(-1)?.name, many.at(-1)?.amount], [201, "(other)", 2]);
});

describe("spans made to cost memory", () => {
  test("calls of requests that never end give way, oldest first, and are counted as unfinished", () => {
    const { aggregator, count } = counting({ openTraces: 50_000 });
    const [requests, callsEach] = [300, 990];
    for (let one = 1; one <= requests; one++) {
      const calls = Array.from({ length: callsEach }, (_, i) =>
        query(one, { id: spanId(1_000_000 + i), endUnixUs: START_US - i * 1_000, durationUs: 100 }),
      );
      count(...calls);
    }
    // Each call holds itself and an interval.
    const held = aggregator.openRequests;
    assert.ok(held > 200 && held < requests, `${held} of ${requests} are open`);
    const [row] = aggregator.drain().operations;
    assert.equal(row?.action, "(unfinished)");
    assert.equal(row?.calls, (requests - held) * callsEach);
  });
});
