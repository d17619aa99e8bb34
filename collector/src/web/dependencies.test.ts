import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { callingApps, SELECT, UPDATE } from "../testing/calling-apps.ts";
import { type Answer, RunningCollector } from "../testing/running-collector.ts";
import { WINDOW_SEC } from "../testing/sample-batch.ts";

const FROM = WINDOW_SEC * 1000;
/** Windows 0 to 5; the shop reported the first, the clock stands in the middle. */
const MINUTE = `from=${FROM}&to=${FROM + 60_000}`;
const NOTHING = [null, null, null, null];

interface Group {
  target: string;
  operation: string;
  calls: number;
  errors: number;
  totalTimeMs: number;
  callsPerMinute: number;
  share: number;
  durationMs: { avg: number; p95: number; max: number };
  statementText: string | null;
  actions: unknown[];
  cols: Record<"calls" | "errors" | "totalTimeMs" | "avgMs" | "p95Ms", (number | null)[]>;
}
interface Series {
  t0: number;
  stepMs: number;
  all: Group;
  groups: Group[];
  leftOut: number;
}

describe("what apps call", () => {
  let collector: RunningCollector;
  before(async () => {
    collector = await RunningCollector.start({ clock: () => FROM + 30_000 });
    const uplink = await collector.uplink();
    for (const { header, frames } of callingApps())
      assert.equal((await uplink.deliver(header, frames)).type, "ack");
    await uplink.close();
  });
  after(() => collector.end());

  const get = <T>(call: string): Promise<Answer<T>> => collector.get<T>(call);
  const series = async (query: string): Promise<Series> =>
    (await get<Series>(`apps/shop/operations/series?${MINUTE}&${query}`)).body;

  test("series by store: counts, time, share and callers of each, and of all together", async () => {
    const { t0, stepMs, all, groups, leftOut } = await series("category=database");
    assert.deepEqual([t0, stepMs, leftOut], [FROM, 10_000, 0]);
    const [postgres, mysql, ...others] = groups;
    assert.ok(postgres && mysql);
    assert.deepEqual(others, []);
    assert.deepEqual([all.calls, all.errors, all.totalTimeMs, all.callsPerMinute], [9, 3, 410, 18]);
    assert.deepEqual(all.cols.totalTimeMs, [310, null, 100, null, null, null]);
    assert.deepEqual(
      [
        postgres.target,
        postgres.calls,
        postgres.errors,
        postgres.totalTimeMs,
        postgres.share,
        postgres.operation,
      ],
      ["db:5432", 7, 1, 210, 210 / 410, ""],
    );
    assert.equal(postgres.durationMs.avg, 30);
    assert.equal(postgres.durationMs.max, 100);
    assert.ok(Math.abs(postgres.durationMs.p95 / 100 - 1) <= 0.011);
    assert.deepEqual(postgres.cols.calls, [6, null, 1, null, null, null]);
    assert.deepEqual(postgres.cols.errors, [1, null, 0, null, null, null]);
    assert.deepEqual(postgres.cols.avgMs, [110 / 6, null, 100, null, null, null]);
    assert.deepEqual(postgres.actions, [
      { action: "GET /a", calls: 6, totalTimeMs: 170 },
      { action: "POST /b", calls: 1, totalTimeMs: 40 },
    ]);
    assert.deepEqual([mysql.target, mysql.calls, mysql.errors, mysql.totalTimeMs], ["db:3306", 2, 2, 200]);
    // The app reported the first window, in which nothing went there later.
    assert.deepEqual(mysql.cols.calls, [2, ...NOTHING, null]);
  });

  test("series by operation: the first ones, the rest is counted", async () => {
    const { groups, all, leftOut } = await series("category=database&by=operation&limit=2");
    assert.deepEqual(
      groups.map(({ operation, totalTimeMs, statementText }) => [operation, totalTimeMs, statementText]),
      [
        ["UPDATE b", 200, null],
        ["SELECT a", 200, "SELECT a FROM t WHERE id = ?"],
      ],
    );
    assert.equal(all.totalTimeMs, 410);
    assert.equal(leftOut, 1);
  });

  test("series of one statement, of one target and of one action", async () => {
    const one = await series(`category=database&by=operation&statement=${SELECT}`);
    assert.deepEqual([one.groups.length, one.all.calls, one.groups[0]?.calls], [1, 5, 5]);
    assert.deepEqual(one.all.cols.totalTimeMs, [100, null, 100, null, null, null]);
    const target = await series("category=external&target=pay.example:443");
    assert.deepEqual([target.all.calls, target.all.errors, target.all.totalTimeMs], [2, 1, 110]);
    const action = await series(`category=database&action=${encodeURIComponent("POST /b")}`);
    assert.deepEqual([action.all.calls, action.all.totalTimeMs], [3, 240]);
    const none = await series("category=database&target=");
    assert.deepEqual([none.all.calls, none.all.durationMs, none.groups], [0, null, []]);
    assert.deepEqual(none.all.cols.calls, [0, ...NOTHING, null]);
  });

  test("samples: the slowest call of each kept trace, with the span to look at", async () => {
    const { body } = await get<{ traces: number; samples: Record<string, unknown>[] }>(
      `apps/shop/operations/samples?${MINUTE}&category=external&target=pay.example:443`,
    );
    assert.equal(body.traces, 3);
    assert.deepEqual(
      body.samples.map(({ traceId, spanId, durationMs, action, operation, host }) => ({
        traceId,
        spanId,
        durationMs,
        action,
        operation,
        host,
      })),
      [
        {
          traceId: "1".padStart(32, "0"),
          spanId: "102".padStart(16, "0"),
          durationMs: 60,
          action: "GET /a",
          operation: "POST",
          host: "web-1",
        },
        {
          traceId: "2".padStart(32, "0"),
          spanId: "201".padStart(16, "0"),
          durationMs: 50,
          action: "GET /a",
          operation: "POST",
          host: "web-1",
        },
      ],
    );
    const balanced = await get<{ samples: { durationMs: number; calls: number }[] }>(
      `apps/shop/operations/samples?${MINUTE}&category=external&target=balancer:80`,
    );
    assert.deepEqual(
      balanced.body.samples.map(({ durationMs, calls }) => [durationMs, calls]),
      [[6, 2]],
    );
    const none = await get<{ samples: unknown[] }>(
      `apps/shop/operations/samples?${MINUTE}&category=external&target=nobody`,
    );
    assert.deepEqual(none.body.samples, []);
  });

  test("errors: their classes over time, and which groups are new", async () => {
    const { body } = await get<Record<string, unknown>>(`apps/shop/errors/series?${MINUTE}`);
    assert.deepEqual(
      { count: body["count"], types: body["types"], others: body["others"] },
      {
        count: 20,
        types: [
          { type: "TypeError", count: 15, values: [13, 2, ...NOTHING] },
          { type: "RangeError", count: 5, values: [4, 1, ...NOTHING] },
        ],
        others: null,
      },
    );
    interface Row {
      group: string;
      count: number;
      isNew: boolean;
      firstEverUnixMs: number;
      sparkline: { counts: number[] };
    }
    const errors = async (query: string): Promise<Row[]> =>
      (await get<{ errors: Row[] }>(`apps/shop/errors?${query}`)).body.errors;
    assert.deepEqual(
      (await errors(MINUTE)).map(({ group, count, isNew, sparkline }) => [
        group.slice(-2),
        count,
        isNew,
        sparkline.counts,
      ]),
      [
        ["e1", 15, true, [13, 2, 0, 0, 0, 0]],
        ["e2", 4, true, [4, 0, 0, 0, 0, 0]],
        ["e3", 1, true, [0, 1, 0, 0, 0, 0]],
      ],
    );
    assert.deepEqual(
      (await errors(`from=${FROM + 10_000}&to=${FROM + 60_000}`)).map(
        ({ group, count, isNew, firstEverUnixMs }) => [group.slice(-2), count, isNew, firstEverUnixMs - FROM],
      ),
      [
        ["e1", 2, false, 0],
        ["e3", 1, true, 10_000],
      ],
    );
  });

  test("an error group: where it happened, and the traces that show it", async () => {
    const { body } = await get<Record<string, unknown>>(`apps/shop/errors/groups/00000000000000e1?${MINUTE}`);
    assert.deepEqual(body, {
      app: "shop",
      from: FROM,
      to: FROM + 60_000,
      group: "00000000000000e1",
      action: "POST /b",
      type: "TypeError",
      message: "no card 2",
      stack: "at pay",
      count: 15,
      firstUnixMs: FROM,
      lastUnixMs: FROM + 10_000,
      firstEverUnixMs: FROM,
      isNew: true,
      keptFrom: null,
      traceId: "2".padStart(32, "0"),
      places: [
        { action: "GET /a", host: "web-2", count: 10 },
        { action: "GET /a", host: "web-1", count: 3 },
        { action: "POST /b", host: "web-1", count: 2 },
      ],
      samples: [
        {
          traceId: "2".padStart(32, "0"),
          action: "POST /b",
          host: "web-1",
          message: "no card 2",
          unixMs: FROM + 10_000,
        },
        {
          traceId: "1".padStart(32, "0"),
          action: "GET /a",
          host: "web-1",
          message: "no card 1",
          unixMs: FROM,
        },
      ],
    });
    assert.equal((await get(`apps/shop/errors/groups/nothing?${MINUTE}`)).status, 404);
  });

  test("the map: apps, what they call, and which targets are apps themselves", async () => {
    interface Edge {
      from: string;
      to: string;
      calls: number;
      errors: number;
      totalTimeMs: number;
      callsPerMinute: number;
      avgMs: number;
      errorRate: number;
      targets: string[];
    }
    const { body } = await get<{ nodes: Record<string, unknown>[]; edges: Edge[]; isLimited: boolean }>(
      `map?${MINUTE}`,
    );
    assert.equal(body.isLimited, false);
    const name = (id: string): string => (JSON.parse(id) as string[]).filter((part) => part !== "").join(" ");
    assert.deepEqual(
      body.edges.map((edge) => [
        name(edge.from),
        name(edge.to),
        edge.calls,
        edge.errors,
        edge.totalTimeMs,
        edge.targets,
      ]),
      [
        ["app shop", "database postgresql db:5432", 7, 1, 210, ["db:5432"]],
        ["app shop", "database mysql db:3306", 2, 2, 200, ["db:3306"]],
        ["app shop", "external http pay.example:443", 2, 1, 110, ["pay.example:443"]],
        ["app shop", "app stock", 1, 0, 30, ["stock:80"]],
        ["app shop", "external http balancer:80", 2, 0, 11, ["balancer:80"]],
        ["app stock", "database mysql db:3306", 1, 0, 9, ["db:3306"]],
        ["app shop", "cache redis cache:6379", 4, 0, 6, ["cache:6379"]],
      ],
    );
    const [postgres] = body.edges;
    assert.deepEqual([postgres?.callsPerMinute, postgres?.avgMs, postgres?.errorRate], [14, 30, 1 / 7]);
    const nodes = new Map(body.nodes.map((node) => [name(String(node["id"])), node]));
    assert.equal(nodes.size, 8);
    const { callsPerMinute, avgMs, errorRate, apdex, kind, app } = nodes.get("app shop") ?? {};
    assert.deepEqual([callsPerMinute, avgMs, errorRate, apdex, kind, app], [4, 200, 0, 1, "app", "shop"]);
    const shared = nodes.get("database mysql db:3306") ?? {};
    assert.deepEqual([shared["callsPerMinute"], shared["avgMs"], shared["errorRate"]], [6, 209 / 3, 2 / 3]);
    const other = nodes.get("app other") ?? {};
    assert.deepEqual([other["callsPerMinute"], other["avgMs"], other["errorRate"]], [0, null, null]);
  });

  test("unknown apps are not found, and wrong parameters are named", async () => {
    for (const [call, status, word] of [
      ["apps/nobody/operations/series?category=cache", 404, "nobody"],
      ["apps/nobody/operations/samples?category=cache", 404, "nobody"],
      ["apps/nobody/errors/series", 404, "nobody"],
      ["apps/nobody/errors/groups/a", 404, "nobody"],
      ["apps/shop/operations/series", 400, "category"],
      ["apps/shop/operations/series?category=web", 400, "category"],
      ["apps/shop/operations/series?category=cache&by=host", 400, "by"],
      ["apps/shop/operations/series?category=cache&limit=51", 400, "limit"],
      ["apps/shop/operations/series?category=cache&statement=xyz", 400, "statement"],
      [`apps/shop/operations/samples?category=cache&target=${"x".repeat(1_025)}`, 400, "target"],
      [`apps/shop/slow-statements?statement=${UPDATE}0`, 400, "statement"],
    ] as const) {
      const answer = await get<{ error: { message: string } }>(call);
      assert.equal(answer.status, status, call);
      assert.ok(answer.body.error.message.includes(word), `${call}: ${answer.body.error.message}`);
    }
  });
});
