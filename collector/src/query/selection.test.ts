import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bucketOf } from "@apm-daemon/protocol";
import { RunningCollector } from "../testing/running-collector.ts";
import { SEALED_MS, sampleHeader, sampleHost, sampleRequests, WINDOW_SEC } from "../testing/sample-batch.ts";
import { type SampleSpan, spansFrame, traceSummary } from "../testing/sample-trace.ts";
import type { HeatmapAnswer } from "./heatmap.ts";
import type { RankAnswer } from "./rank.ts";
import type { SelectionAnswer } from "./selection.ts";

const FROM = WINDOW_SEC * 1000;
const RANGE = `from=${FROM}&to=${FROM + 60_000}`;
const ACTION = `action=${encodeURIComponent("GET /cart")}`;
const times = (count: number, us: number): number[] => Array.from({ length: count }, () => us);
const id = (n: number): string => n.toString(16).padStart(16, "0");

/** web-1 is fast in both windows; web-2 is fast in the first and slow in the second, where its database keeps it waiting. */
const FAST_US = 10_000;
const SLOW_US = 800_000;

function kept(n: number, isSlow: boolean) {
  const traceId = n.toString(16).padStart(32, "0");
  const durationMs = isSlow ? 800 + n : 10;
  const root: SampleSpan = {
    spanId: id(n * 2 + 1),
    parentSpanId: "",
    name: "GET /cart",
    kind: 1,
    startMs: isSlow ? 12_000 : 3_000,
    durationMs,
  };
  const call: SampleSpan = {
    spanId: id(n * 2 + 2),
    parentSpanId: root.spanId,
    name: isSlow ? "SELECT carts" : "SELECT users",
    kind: 2,
    startMs: root.startMs + 1,
    durationMs: isSlow ? 700 : 1,
    attributes: {
      "db.system.name": "postgresql",
      "db.query.text": isSlow ? "select * from carts" : "select 1",
    },
  };
  const spans = [root, call];
  const instance = isSlow ? "new" : "old";
  return {
    summary: traceSummary(traceId, root, { instance, spans: spans.length }),
    frame: spansFrame(traceId, spans),
  };
}

/** It ends in the first window. */
const LONG_MS = 90 * 60_000;
const imported = ((): ReturnType<typeof kept> => {
  const traceId = id(999).padStart(32, "0");
  const root: SampleSpan = {
    spanId: id(999),
    parentSpanId: "",
    name: "POST /import",
    kind: 1,
    startMs: 5_000 - LONG_MS,
    durationMs: LONG_MS,
  };
  return { summary: traceSummary(traceId, root), frame: spansFrame(traceId, [root]) };
})();

describe("what differs in a part of the heatmap", () => {
  let collector: RunningCollector;
  const fast = Array.from({ length: 15 }, (_, i) => kept(i + 1, false));
  const slow = Array.from({ length: 12 }, (_, i) => kept(i + 101, true));
  before(async () => {
    collector = await RunningCollector.start({ clock: () => FROM + 60_000 });
    const uplink = await collector.uplink();
    const cart = { action: "GET /cart" };
    const next = { ...cart, tsSec: WINDOW_SEC + 10 };
    const one = { pid: 1, runtime: "node", agentVersion: "1", startUnixMs: FROM };
    const web1 = sampleHeader({
      apps: [{ app: "shop", apdexTMs: 500, instances: [{ ...one, instance: "old", appVersion: "1.0" }] }],
      actions: [
        sampleRequests(times(1_000, FAST_US), cart),
        sampleRequests(times(990, FAST_US), next),
        sampleRequests(times(10, FAST_US), { ...next, status: 404 }),
        // One in thousands, far beyond the rest.
        sampleRequests([90_000_000], cart),
        sampleRequests(times(7, SLOW_US), { ...next, action: "GET /other" }),
      ],
      traces: fast.map(({ summary }) => summary),
      hostSeconds: { tsSec: [WINDOW_SEC + 3], columns: { cpuStealRatio: [0.01] } },
      processSeconds: [
        { app: "shop", instance: "old", pid: 1, tsSec: [WINDOW_SEC + 3], columns: { gcPauseMs: [5] } },
      ],
    });
    const web2 = sampleHeader({
      createdUnixMs: SEALED_MS + 10_000,
      host: sampleHost({ name: "web-2", id: "other" }),
      apps: [{ app: "shop", apdexTMs: 500, instances: [{ ...one, instance: "new", appVersion: "2.0" }] }],
      actions: [sampleRequests(times(60, FAST_US), cart), sampleRequests(times(40, SLOW_US), next)],
      traces: slow.map(({ summary }) => summary),
      hostSeconds: { tsSec: [WINDOW_SEC + 12], columns: { cpuStealRatio: [0.3], psiIoSomeRatio: [0.1] } },
      processSeconds: [
        { app: "shop", instance: "new", pid: 1, tsSec: [WINDOW_SEC + 12], columns: { gcPauseMs: [90] } },
      ],
    });
    // Another host by mistake has the same name: the higher value of a second counts.
    const twin = sampleHeader({
      createdUnixMs: SEALED_MS + 10_000,
      host: sampleHost({ name: "web-2", id: "twin" }),
      apps: [],
      actions: [],
      traces: [],
      hostSeconds: { tsSec: [WINDOW_SEC + 12], columns: { cpuStealRatio: [0.01] } },
    });
    const long = sampleHeader({
      actions: [sampleRequests([LONG_MS * 1_000], { action: "POST /import" })],
      traces: [imported.summary],
    });
    for (const [header, parts] of [
      [web1, fast],
      [web2, slow],
      [twin, []],
      [long, [imported]],
    ] as const) {
      const frames = parts.map(({ frame }) => frame);
      assert.equal((await uplink.deliver(header, frames)).type, "ack");
    }
    await uplink.close();
  });
  after(() => collector.end());

  const get = async <T>(call: string): Promise<T> => {
    const { status, body } = await collector.get<T>(call);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };

  test("each request is in one cell, and what is far beyond the axis is in a row of its own", async () => {
    const map = await get<HeatmapAnswer>(`apps/shop/heatmap?${ACTION}&${RANGE}`);
    assert.deepEqual([map.t0, map.stepMs, map.requests], [FROM, 10_000, 2_101]);
    assert.deepEqual(map.reported, [true, true, false, false, false, false]);
    assert.ok(map.rows.length <= 60, `${map.rows.length} rows`);
    const cells = map.cells.column.map((column, i) => {
      const row = map.rows[map.cells.row[i] ?? -1];
      return { column, fromMs: row?.fromMs ?? -1, toMs: row?.toMs, requests: map.cells.requests[i] };
    });
    const found = (column: number, ms: number) =>
      cells.find((cell) => cell.column === column && cell.fromMs < ms && ms <= (cell.toMs ?? ms))?.requests;
    assert.deepEqual([found(0, 10), found(1, 10), found(1, 800), found(0, 90_000)], [1_060, 1_000, 40, 1]);
    assert.equal(cells.length, 4);
    assert.equal(map.rows.at(-1)?.toMs, null);
    const edges = map.rows.slice(1).map(({ fromMs }) => fromMs);
    assert.deepEqual(
      edges,
      map.rows.slice(0, -1).map(({ toMs }) => toMs),
      "rows follow each other",
    );
  });

  test("counts the requests of a selection exactly, and names what it has more often, with both counts", async () => {
    const map = await get<HeatmapAnswer>(`apps/shop/heatmap?${ACTION}&${RANGE}`);
    const row = map.rows.find(({ fromMs, toMs }) => fromMs < 800 && 800 <= (toMs ?? 0));
    // As it stands in an address: four digits.
    const selected = `selectedFrom=${FROM + 10_000}&selectedTo=${FROM + 20_000}&minMs=${row?.fromMs.toPrecision(4)}`;
    const body = await get<SelectionAnswer>(`apps/shop/selection?${ACTION}&${RANGE}&${selected}`);
    assert.deepEqual(body.selected, {
      from: FROM + 10_000,
      to: FROM + 20_000,
      minMs: row?.fromMs,
      maxMs: null,
      requests: 40,
      kept: 12,
      sampled: 12,
    });
    assert.deepEqual(body.rest, { requests: 2_061, kept: 15, sampled: 15 });
    const ofTraces = { basis: "traces", selected: 12, selectedOf: 12, rest: 0, restOf: 15 };
    assert.deepEqual(
      body.differences.map(({ attribute, value, basis, selected, selectedOf, rest, restOf }) => {
        return { attribute, value, basis, selected, selectedOf, rest, restOf };
      }),
      [
        { attribute: "appVersion", value: "2.0", ...ofTraces },
        { attribute: "calls", value: "select * from carts", ...ofTraces },
        { attribute: "cpuStealRatio", value: "0.05", ...ofTraces },
        { attribute: "gcPauseMs", value: "70", ...ofTraces },
        { attribute: "mostTimeIn", value: "select * from carts", ...ofTraces },
        {
          attribute: "host",
          value: "web-2",
          basis: "requests",
          selected: 40,
          selectedOf: 40,
          rest: 60,
          restOf: 2_061,
        },
      ],
    );
    assert.equal(body.differences.at(-1)?.restShare, 60 / 2_061);
    assert.deepEqual(
      body.traces.map(({ durationMs }) => durationMs),
      slow.map(({ summary }) => summary.durationUs / 1_000).sort((a, b) => b - a),
    );
  });

  test("a selection of few requests is not compared, and one outside of the range has none", async () => {
    const few = `selectedFrom=${FROM}&selectedTo=${FROM + 10_000}&minMs=60000`;
    const body = await get<SelectionAnswer>(`apps/shop/selection?${ACTION}&${RANGE}&${few}`);
    assert.deepEqual([body.selected.requests, body.differences], [1, []]);
    const outside = `selectedFrom=${FROM + 90_000}&selectedTo=${FROM + 95_000}`;
    const none = await get<SelectionAnswer>(`apps/shop/selection?${ACTION}&${RANGE}&${outside}`);
    assert.deepEqual([none.selected.requests, none.selected.kept, none.traces], [0, 0, []]);
  });

  test("a request that began long before the selection is among its slowest", async () => {
    const range = `from=${FROM - 2 * LONG_MS}&to=${FROM + 60_000}`;
    const window = `selectedFrom=${FROM}&selectedTo=${FROM + 10_000}`;
    const call = `apps/shop/selection?action=${encodeURIComponent("POST /import")}&${range}&${window}`;
    const { selected, traces } = await get<SelectionAnswer>(call);
    assert.deepEqual([selected.kept, traces.map(({ durationMs }) => durationMs)], [1, [LONG_MS]]);
  });

  test("wrong selections are refused with the reason", async () => {
    for (const [query, named] of [
      [`selectedFrom=${FROM}&selectedTo=${FROM + 1}`, "action"],
      [`${ACTION}&selectedFrom=${FROM}&selectedTo=${FROM}`, "selectedTo"],
      [`${ACTION}&selectedFrom=${FROM}&selectedTo=${FROM + 1}&minMs=5&maxMs=5`, "maxMs"],
      [`${ACTION}&selectedFrom=${FROM}&selectedTo=${FROM + 1}&minMs=-1`, "minMs"],
    ] as const) {
      const { status, body } = await collector.get<{ error: { message: string } }>(
        `apps/shop/selection?${RANGE}&${query}`,
      );
      assert.equal(status, 400);
      assert.match(body.error.message, new RegExp(`"${named}"`));
    }
  });

  test("says which share of an action's requests was faster", async () => {
    const body = await get<RankAnswer>(`apps/shop/rank?${ACTION}&durationMs=800&${RANGE}`);
    const { requests, faster, alike, slower, fasterShare } = body;
    assert.deepEqual([requests, faster, alike, slower, fasterShare], [2_101, 2_060, 40, 1, 2_060 / 2_101]);
    assert.equal(bucketOf(800_000), bucketOf(SLOW_US));
    const none = await get<RankAnswer>(`apps/shop/rank?action=nothing&durationMs=1.5&${RANGE}`);
    assert.deepEqual([none.requests, none.fasterShare], [0, null]);
    for (const asDoublesPrint of ["91.88860799999999", "0.30000000000000004", "1e-7"]) {
      const { durationMs } = await get<RankAnswer>(
        `apps/shop/rank?${ACTION}&durationMs=${asDoublesPrint}&${RANGE}`,
      );
      assert.equal(durationMs, Number(asDoublesPrint));
    }
  });
});

test("an instance of which nothing was stored yet is asked for again", async () => {
  let nowMs = FROM + 60_000;
  const collector = await RunningCollector.start({ clock: () => nowMs });
  try {
    const uplink = await collector.uplink();
    const parts = Array.from({ length: 24 }, (_, i) => kept(i + 1, i < 12));
    const traces = sampleHeader({
      apps: [],
      actions: [sampleRequests(times(12, FAST_US), { action: "GET /cart" })],
      traces: parts.map(({ summary }) => summary),
    });
    const frames = parts.map(({ frame }) => frame);
    assert.equal((await uplink.deliver(traces, frames)).type, "ack");
    const versions = async (): Promise<string[]> => {
      const selected = `selectedFrom=${FROM + 10_000}&selectedTo=${FROM + 20_000}&minMs=100`;
      const { body } = await collector.get<SelectionAnswer>(
        `apps/shop/selection?${ACTION}&${RANGE}&${selected}`,
      );
      assert.deepEqual([body.selected.sampled, body.rest.sampled], [12, 12]);
      return body.differences.filter(({ attribute }) => attribute === "appVersion").map(({ value }) => value);
    };
    assert.deepEqual(await versions(), []);
    const one = { pid: 1, runtime: "node", agentVersion: "1", startUnixMs: FROM };
    const instances = [
      { ...one, instance: "old", appVersion: "1.0" },
      { ...one, instance: "new", appVersion: "2.0" },
    ];
    const late = sampleHeader({
      createdUnixMs: SEALED_MS + 1_000,
      apps: [{ app: "shop", apdexTMs: 500, instances }],
      actions: [],
      traces: [],
    });
    assert.equal((await uplink.deliver(late, [])).type, "ack");
    nowMs += 600_000;
    assert.deepEqual(await versions(), ["2.0"]);
    await uplink.close();
  } finally {
    await collector.end();
  }
});
