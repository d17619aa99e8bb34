import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type RunningApp, startShop, startStock } from "./support/apps.ts";
import { Cleanup } from "./support/cleanup.ts";
import type { ActionStatistics, CollectorApi, Statistics } from "./support/collector-api.ts";
import { type Databases, startDatabases } from "./support/databases.ts";
import { eventually } from "./support/eventually.ts";
import { type Answer, type PlannedRequest, sendAll } from "./support/load-generator.ts";
import { skipWithout } from "./support/parts.ts";
import { StateDir, startUp } from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";
import { assertKeptFailures } from "./support/trace-checks.ts";
import { expectation, leastMs, type Plan, plan5000, RELAYED_ACTION, zonesOf } from "./support/traffic.ts";

const CONCURRENCY = 16;
const SEEN_DEADLINE_MS = 20_000;
/** The relative error of a percentile read from the histograms. */
const HISTOGRAM_ERROR = 0.011;

describe("one host with an Express app and a Fastify app, 5,000 requests", {
  skip: skipWithout("postgresql", "mariadb", "redis"),
}, () => {
  const cleanup = new Cleanup();
  let api: CollectorApi;
  let databases: Databases;
  let shop: RunningApp;
  let stock: RunningApp;
  let plan: Plan;
  let answers: Answer[];

  before(async () => {
    await takeTurn(cleanup);
    const stateDir = new StateDir(cleanup);
    const [up, started] = await Promise.all([startUp(cleanup, stateDir), startDatabases(cleanup)]);
    api = up.api;
    databases = started;
    stock = await startStock(cleanup, {
      agent: { by: "--require", socket: stateDir.agentSocket },
      databases,
    });
    const agent = { by: "apm run", socket: stateDir.agentSocket, name: "shop" } as const;
    shop = await startShop(cleanup, { agent, databases, stockUrl: stock.url });
    plan = plan5000(shop.url, stock.url);
    answers = await sendAll(plan.all, CONCURRENCY);
  });
  after(() => cleanup.run());

  /** The answers that an app had a part in: the shop's relayed requests took no longer in the stock app. */
  function answersOf(app: "shop" | "stock"): Answer[] {
    const { url } = app === "shop" ? shop : stock;
    return answers.filter(({ planned }) => planned.url.startsWith(url) || isRelayed(app, planned));
  }

  test("the apps answer each request as they do without an agent", () => {
    const wrong = answers.filter(({ planned, status }) => status !== planned.expectedStatus);
    assert.deepEqual(wrong.slice(0, 3), []);
    assert.equal(answers.length, 5_000);
  });

  test("exactly 5,000 requests are in the API within 20 s, and it stays at that", async () => {
    await eventually("all requests are in the API", SEEN_DEADLINE_MS, async () => {
      assert.equal(await api.requestCount("shop"), plan.shop.length);
      assert.equal(await api.requestCount("stock"), plan.stock.length + plan.relayed.length);
    });
    const [shopNow, stockNow] = await Promise.all([api.summary("shop"), api.summary("stock")]);
    assert.equal(shopNow.requests + stockNow.requests - plan.relayed.length, 5_000);
  });

  test("each status code, the errors and the actions are counted exactly", async () => {
    await assertCounts(api, "shop", plan.shop);
    await assertCounts(api, "stock", [...plan.stock, ...plan.relayed]);
  });

  test("the time split has what the databases took and sums to the response time", async () => {
    for (const app of ["shop", "stock"]) {
      const all: Statistics[] = [await api.summary(app), ...(await api.actions(app))];
      for (const entry of all) assertSplit(entry);
    }
    const shopActions = byAction(await api.actions("shop"));
    const stockActions = byAction(await api.actions("stock"));
    const users = shopActions.get("GET /users/:id")?.timeSplitMs;
    assert.ok(
      users && users.database > 0 && users.cache === 0 && users.external === 0,
      JSON.stringify(users),
    );
    const nested = shopActions.get("GET /shops/:shop/orders/:order")?.timeSplitMs;
    assert.ok(nested && nested.database > 0 && nested.cache > 0, JSON.stringify(nested));
    const relay = shopActions.get("GET /relay/:id")?.timeSplitMs;
    assert.ok(relay && relay.external > 0 && relay.database === 0, JSON.stringify(relay));
    const slow = shopActions.get("GET /slow/:ms")?.timeSplitMs;
    assert.ok(slow && slow.code >= 900 && slow.database === 0, JSON.stringify(slow));
    const items = stockActions.get("GET /items/:id")?.timeSplitMs;
    assert.ok(items && items.cache > 0 && items.database > 0, JSON.stringify(items));
  });

  test("Apdex and its zones are those that the load generator's own timings leave possible: one, unless the machine stalled", async () => {
    for (const app of ["shop", "stock"] as const) {
      const summary = await api.summary(app);
      assertZones(summary, answersOf(app));
      for (const entry of await api.actions(app)) {
        const { action } = entry;
        const timed = answersOf(app).filter(({ planned }) => actionIn(app, planned) === action);
        assertZones(entry, timed);
      }
    }
    const slow = byAction(await api.actions("shop")).get("GET /slow/:ms");
    assert.ok(slow);
    assert.deepEqual(
      [slow.satisfied, slow.tolerating, slow.frustrated],
      [0, 40, 10],
      "900 ms tolerating, 2,300 ms frustrated",
    );
  });

  test("a wait of known length is in its own part of the time split, and no action took longer than for its user", async () => {
    const actions = byAction(await api.actions("shop"));
    const database = actions.get("GET /wait/database")?.timeSplitMs;
    assert.ok(database && database.database >= 100 && database.cache === 0, JSON.stringify(database));
    const cache = actions.get("GET /wait/cache")?.timeSplitMs;
    // Redis may end a wait a millisecond early.
    assert.ok(cache && cache.cache >= 99 && cache.database === 0, JSON.stringify(cache));
    for (const { action, responseTimeMs } of actions.values()) {
      const own = answersOf("shop").filter(({ planned }) => planned.action === action);
      const meanMs = own.reduce((sum, { durationMs }) => sum + durationMs, 0) / own.length;
      assert.ok(responseTimeMs.avg <= meanMs, `${action}: ${responseTimeMs.avg} ms, its users ${meanMs} ms`);
    }
  });

  test("response times are those of the load generator, less its own share", async () => {
    const slow = byAction(await api.actions("shop")).get("GET /slow/:ms");
    const timed = answers.filter(({ planned }) => planned.action === "GET /slow/:ms");
    const longest = Math.max(...timed.map(({ durationMs }) => durationMs));
    assert.ok(slow);
    // A timer may fire a millisecond early.
    assert.ok(slow.responseTimeMs.max >= 2_298 && slow.responseTimeMs.max <= longest);
    const median = timed.map(({ durationMs }) => durationMs).sort((a, b) => a - b)[24] ?? 0;
    assert.ok(slow.responseTimeMs.p50 >= 900 * (1 - HISTOGRAM_ERROR), `p50 ${slow.responseTimeMs.p50}`);
    assert.ok(slow.responseTimeMs.p50 <= median * (1 + HISTOGRAM_ERROR), `p50 ${slow.responseTimeMs.p50}`);
  });

  test("operations name the databases, their targets and the statements without their values", async () => {
    const postgresTarget = new URL(databases.postgresUrl).host;
    const mysqlTarget = new URL(databases.mysqlUrl).host;
    const ofShop = await api.operations("shop", "database");
    const users = ofShop.find(({ statementText }) => statementText?.includes("SELECT id, name FROM users"));
    assert.deepEqual(
      { system: users?.system, target: users?.target, calls: users?.calls, errors: users?.errors },
      { system: "postgresql", target: postgresTarget, calls: 1_480, errors: 0 },
    );
    const orders = ofShop.find(({ statementText }) => statementText?.includes("FROM orders"));
    assert.deepEqual(
      { system: orders?.system, target: orders?.target, calls: orders?.calls },
      { system: "mysql", target: mysqlTarget, calls: 500 },
    );
    const statements = ofShop.map(({ statementText }) => statementText).join("\n");
    assert.doesNotMatch(statements, /north/, "a value of a statement left the app");
    const caches = await api.operations("shop", "cache");
    const reads = caches.filter(({ operation }) => /^get\b/i.test(operation));
    assert.equal(
      reads.reduce((sum, { calls }) => sum + calls, 0),
      500,
    );
    const external = await api.operations("shop", "external");
    assert.equal(
      external.reduce((sum, { calls }) => sum + calls, 0),
      plan.relayed.length,
    );
    assert.equal(external[0]?.target, new URL(stock.url).host);
  });

  test("failed requests are kept as traces, with their own database spans below them", async () => {
    assert.ok((await assertKeptFailures(api, "shop", "postgresql")) >= 1);
    assert.ok((await assertKeptFailures(api, "stock", "mysql")) >= 1);
  });

  test("the host is there with its processors, memory and seconds", async () => {
    const [host] = await api.hosts();
    assert.ok(host);
    assert.deepEqual(host.apps.toSorted(), ["shop", "stock"]);
    assert.ok(host.cores >= 1 && host.memTotalBytes > 0);
    assert.ok(host.memUsedRatio !== null && host.memUsedRatio > 0 && host.memUsedRatio < 1);
    const { cols } = await api.hostSeries(host.host);
    const busy = (cols["cpuUserRatio"] ?? []).filter((value) => value !== null);
    assert.ok(busy.length > 0 && busy.every((value) => value >= 0 && value <= 1), JSON.stringify(busy));
  });
});

async function assertCounts(api: CollectorApi, app: string, planned: PlannedRequest[]): Promise<void> {
  const expected = expectation(planned);
  const summary = await api.summary(app);
  assert.equal(summary.requests, expected.requests);
  assert.equal(summary.errors, expected.errors);
  const codes = (await api.statusCodes(app)).map(({ code, count }) => [code, count]);
  assert.deepEqual(new Map(codes as [number, number][]), expected.statusCodes);
  const actions = (await api.actions(app)).map(({ action, requests }) => [action, requests]);
  assert.deepEqual(Object.fromEntries(actions), Object.fromEntries(expected.actions));
}

function assertZones(entry: Statistics, timed: Answer[]): void {
  const { apdex, apdexTMs, satisfied, tolerating, frustrated } = entry;
  const message = JSON.stringify(entry);
  const most = zonesOf(timed, apdexTMs);
  const least = zonesOf(timed, apdexTMs, leastMs);
  assert.ok(satisfied >= most.satisfied && satisfied <= least.satisfied, message);
  assert.ok(frustrated <= most.frustrated && frustrated >= least.frustrated, message);
  assert.equal(satisfied + tolerating + frustrated, timed.length, message);
  assert.ok(apdex !== null && Math.abs(apdex - (satisfied + tolerating / 2) / timed.length) < 1e-9, message);
}

function isRelayed(app: "shop" | "stock", planned: PlannedRequest): boolean {
  return app === "stock" && planned.action === "GET /relay/:id";
}

/** The name of the action that a request of the plan, or the one relayed for it, is in an app. */
function actionIn(app: "shop" | "stock", planned: PlannedRequest): string {
  return isRelayed(app, planned) ? RELAYED_ACTION : planned.action;
}

function byAction(actions: ActionStatistics[]): Map<string, ActionStatistics> {
  return new Map(actions.map((entry) => [entry.action, entry]));
}

function assertSplit(entry: Statistics): void {
  const { code, database, cache, external } = entry.timeSplitMs;
  const avg = entry.responseTimeMs.avg;
  const message = JSON.stringify(entry);
  assert.ok(Math.min(code, database, cache, external) >= 0, message);
  assert.ok(database + cache + external <= avg + 0.001, message);
  assert.ok(Math.abs(code + database + cache + external - avg) <= 0.001 + avg * 1e-6, message);
}
