import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { startShop, startStock } from "../support/apps.ts";
import { launchBrowser, openPage } from "../support/browser.ts";
import { Cleanup } from "../support/cleanup.ts";
import { startDatabases } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { HostWatch } from "../support/host-watch.ts";
import { type Answer, sendAll } from "../support/load-generator.ts";
import { chartRows, rowOf, type TableRow, tableRows } from "../support/page-tables.ts";
import { skipWithout } from "../support/parts.ts";
import { type RequestTruth, requestTruth, timeShare } from "../support/request-truth.ts";
import { settledPage } from "../support/settled-page.ts";
import { showPath } from "../support/show-path.ts";
import { assertBetween, assertShown, shownFigure } from "../support/shown-figure.ts";
import { SMALL_CALLS, SMALL_PLAN_ERROR, smallLeastMs, smallPlan } from "../support/small-plan.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const DESKTOP = { viewport: { width: 1_440, height: 900 }, locale: "en-US", timezoneId: "UTC" } as const;
const WINDOW_MS = 10_000;
const T_MS = 500;
const TOML = 'seal_interval_ms = 1000\n[settings]\nslow_statement_ms = 60\n[traces]\nkeep = "all"\n';

/** Each figure of each page beside what the log of the load generator says of it, computed without the product. */
describe("the console's figures are those of the load generator's own log", {
  skip: skipWithout("postgresql", "mariadb", "redis", "chromium"),
}, () => {
  const cleanup = new Cleanup();
  const host = new HostWatch();
  let collector: Collector;
  let browser: Browser;
  let answers: Answer[];
  let stockTarget: string;
  let range: string;
  let minutes: number;

  before(async () => {
    await takeTurn(cleanup);
    const databases = await startDatabases(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    const stateDir = new StateDir(cleanup);
    const keyFile = await createKeyFile(collector.stateDir, "figures");
    await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml: TOML });
    const agent = { by: "--import", socket: stateDir.agentSocket } as const;
    const stock = await startStock(cleanup, { agent, databases });
    stockTarget = new URL(stock.url).host;
    const shop = await startShop(cleanup, { agent, databases, stockUrl: stock.url });
    browser = await launchBrowser(cleanup);
    cleanup.add(() => host.stop());
    host.start();
    // The console shows no shorter ranges than 30 s.
    const fromMs = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS - 3 * WINDOW_MS;
    answers = await sendAll(smallPlan(shop.url), 4, "closed");
    assert.deepEqual(
      answers.filter(({ status, planned }) => status !== planned.expectedStatus),
      [],
    );
    const toMs = Math.ceil((Date.now() + 1_000) / WINDOW_MS) * WINDOW_MS;
    minutes = (toMs - fromMs) / 60_000;
    range = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}`;
    await sleep(Math.max(0, toMs - Date.now()));
    await eventually("all requests and the last second have arrived", 40_000, async () => {
      assert.equal(await collector.api.requestCount("shop"), answers.length);
      assert.equal(await collector.api.requestCount("stock"), SMALL_CALLS.relayed);
      const [own] = (await collector.api.get<{ hosts: { lastSeenUnixMs: number }[] }>("hosts")).hosts;
      assert.ok((own?.lastSeenUnixMs ?? 0) >= toMs, "the newest second of the range");
    });
  });
  after(() => cleanup.run());

  /** All of an app, or of one of its actions. */
  const truth = (action?: string): RequestTruth =>
    requestTruth(
      answers.filter(({ planned }) => action === undefined || planned.action === action),
      T_MS,
      smallLeastMs,
    );
  const actions = (): string[] => [...new Set(answers.map(({ planned }) => planned.action))];

  /** One page after the other in one tab. */
  async function reader(): Promise<{ page: Page; read: (path: string, more?: string) => Promise<void> }> {
    const { page } = await openPage(browser, DESKTOP);
    const settled = settledPage(page);
    await page.goto(`${collector.url}/settings`);
    return {
      page,
      read: async (path, more = "") => {
        await showPath(page, `${path}?${range}${more}`);
        await settled();
      },
    };
  }

  /** The columns that every table of requests has. */
  function assertRequests(what: string, row: TableRow, expected: RequestTruth): void {
    assertShown(`${what}: rpm`, row["rpm"], expected.requests / minutes);
    assertShown(`${what}: error rate`, row["Error rate"], expected.errors / expected.requests);
    assertBetween(`${what}: avg`, row["Avg"], expected.avgMs.low, expected.avgMs.high);
    assertBetween(`${what}: p95`, row["p95"], expected.p95Ms.low, expected.p95Ms.high);
    const score = /\d\.\d\d/.exec(row["Apdex"] ?? "")?.[0];
    assertBetween(`${what}: Apdex`, score, expected.apdex.low, expected.apdex.high);
  }

  /** The row of numbers at the top of an app's and an action's page, by their labels. */
  async function assertKpis(page: Page, what: string, expected: RequestTruth): Promise<void> {
    const kpis = page.locator(".kpi");
    const texts = async (name: string, part: string): Promise<string> =>
      (await kpis.filter({ hasText: name }).first().locator(part).textContent()) ?? "";
    const { avgMs, p95Ms, requests, errors, apdex } = expected;
    const value = async (name: string): Promise<string> =>
      (await texts(name, ".kpi-value")).replace(/rpm$/, "").replace(/(\d)(ms|s|µs|%)/, "$1 $2");
    assertBetween(`${what}: avg`, await value("Response time"), avgMs.low, avgMs.high);
    const p95 = /p95 (.*)$/.exec(await texts("Response time", ".kpi-detail"))?.[1];
    assertBetween(`${what}: p95`, p95, p95Ms.low, p95Ms.high);
    assertShown(`${what}: throughput`, await value("Throughput"), requests / minutes);
    assert.match(await texts("Throughput", ".kpi-detail"), new RegExp(`(^|\\D)${requests} requests$`));
    assertBetween(`${what}: Apdex`, (await value("Apdex")).slice(0, 4), apdex.low, apdex.high);
    assertShown(`${what}: error rate`, await value("Error rate"), errors / requests);
    assert.match(await texts("Error rate", ".kpi-detail"), new RegExp(`(^|\\D)${errors} errors$`));
  }

  function assertStatusCodes(rows: readonly TableRow[], { statusCodes, requests }: RequestTruth): void {
    assert.equal(rows.length, statusCodes.size);
    for (const [code, count] of statusCodes) {
      const row = rowOf(rows, ` ${code}`);
      assert.equal(row["Count"], String(count));
      assertShown(`status ${code}`, row["Share"], count / requests);
    }
  }

  test("Home and Apps: each app's requests", async () => {
    const { page, read } = await reader();
    for (const path of ["/", "/apps"]) {
      await read(path);
      const rows = await tableRows(page, "Apps");
      assert.equal(rows.length, 2);
      assertRequests(path, rowOf(rows, "shop"), truth());
      // It took no longer there than for the shop's users.
      const relayed = { ...truth("GET /relay/:id"), errors: 0 };
      assertRequests(`${path}, stock`, rowOf(rows, "stock"), { ...relayed, requests: SMALL_CALLS.relayed });
    }
  });

  test("App: its numbers, charts and tables", async () => {
    const { page, read } = await reader();
    await read("/apps/shop");
    await assertKpis(page, "shop", truth());
    assertStatusCodes(await tableRows(page, "Status codes"), truth());
    for (const row of await tableRows(page, "Actions")) {
      const action = row["Action"] ?? "";
      assertRequests(action, row, truth(action));
    }
    const sql = await tableRows(page, "Slow SQL");
    for (const [statement, calls] of SMALL_CALLS.statements)
      assertShown(statement, rowOf(sql, statement)["Calls/min"], calls / minutes);
    assertShares("Slow SQL", sql);
    const caches = await tableRows(page, "Caches & NoSQL");
    for (const [command, calls] of SMALL_CALLS.commands)
      assertShown(command, rowOf(caches, command)["Calls/min"], calls / minutes);
    const [service, ...others] = await tableRows(page, "External services");
    assert.deepEqual(others, []);
    assertShown("calls of the stock", service?.["Calls/min"], SMALL_CALLS.relayed / minutes);
    const [error, ...more] = await tableRows(page, "Errors");
    assert.deepEqual(more, []);
    assert.ok(error?.["Message"]?.includes(SMALL_PLAN_ERROR));
    assert.equal(error?.["Count"], String(truth().errors));
  });

  test("the app's charts as tables add up to the whole", async () => {
    const { page, read } = await reader();
    const { requests, errors, avgMs, apdex, statusCodes, maxMs } = truth();
    await read("/apps/shop", "&table=throughput");
    const throughput = await chartRows(page, "Throughput");
    const counts = throughput.map((row) => {
      const perMinute = (name: string): number => known(row[name]);
      // A window is a sixth of a minute.
      return { all: ["2xx", "3xx", "4xx", "5xx"].reduce((sum, name) => sum + perMinute(name) / 6, 0), row };
    });
    for (const name of ["2xx", "3xx", "4xx", "5xx"]) {
      const expected = [...statusCodes].filter(([code]) => `${code}`[0] === name[0]);
      const sum = throughput.reduce((total, row) => total + known(row[name]) / 6, 0);
      assert.equal(
        Math.round(sum),
        expected.reduce((total, [, count]) => total + count, 0),
        name,
      );
    }
    /** The mean of a chart's values over all requests. */
    const mean = (rows: readonly TableRow[], names: readonly string[]): number =>
      rows.reduce(
        (sum, row, i) =>
          sum + names.reduce((part, name) => part + known(row[name]), 0) * (counts[i]?.all ?? 0),
        0,
      ) / requests;
    await read("/apps/shop", "&table=errors");
    const failed = mean(await chartRows(page, "Error rate"), ["5xx and uncaught"]) * requests;
    assert.ok(Math.abs(failed - errors) < 0.05, `${failed} errors by the chart, ${errors} by the log`);
    await read("/apps/shop", "&table=split");
    const parts = ["App code", "Database", "Cache", "External"];
    const split = mean(await chartRows(page, "Where response time goes"), parts);
    assert.ok(split >= avgMs.low - 0.5 && split <= avgMs.high + 0.5, `${split} ms by the chart`);
    await read("/apps/shop", "&table=apdex");
    const score = mean(await chartRows(page, "Apdex"), ["Apdex"]);
    assert.ok(score >= apdex.low - 0.006 && score <= apdex.high + 0.006, `${score} by the chart`);
    await read("/apps/shop", "&table=percentiles");
    for (const row of await chartRows(page, "Response-time percentiles")) {
      const [p50, p95, p99] = ["p50", "p95", "p99"].map((name) => known(row[name]));
      assert.ok((p50 ?? 0) <= (p95 ?? 0) && (p95 ?? 0) <= (p99 ?? 0), JSON.stringify(row));
      assert.ok((p99 ?? 0) <= maxMs.high * 1.02, JSON.stringify(row));
    }
  });

  test("Actions and Action: each one's requests, and its share of all time", async () => {
    const { page, read } = await reader();
    await read("/apps/shop/actions");
    const rows = await tableRows(page, "Actions");
    assert.deepEqual(rows.map((row) => row["Action"] ?? "").sort(), actions().sort());
    for (const row of rows) {
      const action = row["Action"] ?? "";
      assertRequests(action, row, truth(action));
      const { low, high } = timeShare(truth(action), truth());
      assertBetween(`${action}: share`, row["Wall-clock share"], low, high);
    }
    assertShares("Actions", rows, "Wall-clock share");
    for (const action of ["GET /users/:id", "GET /slow/:ms", "GET /fail/:tag"]) {
      await read(`/apps/shop/actions/${encodeURIComponent(action)}`);
      await assertKpis(page, action, truth(action));
      assertStatusCodes(await tableRows(page, "Status codes"), truth(action));
      await page.getByText(`${truth(action).requests} requests. Drag a rectangle`).waitFor();
    }
  });

  test("Databases, Caches and External: each call that the requests made, by whom", async () => {
    const { page, read } = await reader();
    for (const [path, table, calls] of [
      ["databases", "Statements", SMALL_CALLS.statements],
      ["caches", "Commands", SMALL_CALLS.commands],
      ["external", "Services", new Map([[stockTarget, SMALL_CALLS.relayed]])],
    ] as const) {
      await read(`/apps/shop/${path}`);
      const rows = await tableRows(page, table);
      assert.equal(rows.length, calls.size, JSON.stringify(rows));
      for (const [name, count] of calls) {
        const row = rowOf(rows, name);
        assertShown(`${name}: calls`, row["Calls/min"], count / minutes);
        assertShown(`${name}: errors`, row["Error rate"], 0);
        assertBetween(`${name}: avg`, row["Avg"], 0, truth().maxMs.high);
      }
      assertShares(table, rows);
    }
    await read("/apps/shop/databases");
    const statements = page.getByRole("table", { name: "Statements" });
    await statements.getByRole("link", { name: /^SELECT id, name FROM users/ }).click();
    const [caller, ...others] = await tableRows(page, "Callers");
    assert.deepEqual(others, []);
    const users = SMALL_CALLS.statements.get("SELECT id, name FROM users") ?? 0;
    assert.deepEqual([caller?.["Action"], caller?.["Calls"]], ["GET /users/:id", String(users)]);
    await page.getByText(`${users} calls`).waitFor();
  });

  test("Errors: how many, where", async () => {
    const { page, read } = await reader();
    await read("/apps/shop/errors");
    await page.getByText(`${truth().errors} in all`).waitFor();
    const [group, ...others] = await tableRows(page, "Errors");
    assert.deepEqual(others, []);
    assert.equal(group?.["Count"], String(truth().errors));
    await page.getByRole("link", { name: new RegExp(SMALL_PLAN_ERROR) }).click();
    const [place] = await tableRows(page, "Where it happened");
    assert.deepEqual([place?.["Action"], place?.["Count"]], ["GET /fail/:tag", String(truth().errors)]);
  });

  test("Hosts and Host: the machine as the kernel shows it to this test", async () => {
    const { page, read } = await reader();
    await read("/hosts");
    const [row, ...others] = await tableRows(page, "Hosts");
    assert.deepEqual(others, []);
    const { memory, load, cores, memTotalBytes, kernel } = host.near(Date.parse(toOf(range)));
    assertBetween("memory", row?.["Memory"]?.replace("▲ ", ""), memory.low - 0.03, memory.high + 0.03);
    const [shownLoad = "", shownCores] = (row?.["Load"] ?? "").split("/");
    assertBetween("load", shownLoad, load.low - 0.02, load.high + 0.02);
    assert.equal(Number(shownCores), cores);
    assert.match(row?.["Host"] ?? "", /shop, stock/);
    assert.ok(row?.["System"]?.endsWith(kernel), row?.["System"]);
    const total = /([\d.]+)\s*GiB/.exec(row?.["Size"] ?? "")?.[1];
    assertShown("all memory", total, memTotalBytes / 2 ** 30);
  });
});

/** The value of a table's cell; nothing came in a bucket of which it says "–". */
function known(text = ""): number {
  if (text === "–") return 0;
  const { low, high } = shownFigure(text);
  return (low + high) / 2;
}

/** Shares of one whole, each rounded to its second digit or better. */
function assertShares(what: string, rows: readonly TableRow[], column = "Share"): void {
  const sum = rows.reduce((total, row) => total + known(row[column]?.replace("<", "")), 0);
  assert.ok(Math.abs(sum - 1) < 0.001 * rows.length, `the shares of ${what} add up to ${sum}`);
}

function toOf(range: string): string {
  return new URLSearchParams(range).get("to") ?? "";
}
