import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { startShop, startSteady, startStock } from "../support/apps.ts";
import { launchBrowser, openPage, takeScreenshot } from "../support/browser.ts";
import { Cleanup } from "../support/cleanup.ts";
import { startDatabases } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { type PlannedRequest, sendAll } from "../support/load-generator.ts";
import { skipWithout } from "../support/parts.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const DESKTOP = { viewport: { width: 1_440, height: 900 }, locale: "en-US", colorScheme: "light" } as const;
/** A page that never shows what is waited for must not hang the test. */
const WAIT_MS = 15_000;
const PHONE = { viewport: { width: 390, height: 844 }, locale: "zh-CN", colorScheme: "dark" } as const;
const WINDOW_MS = 10_000;
const TOML = `seal_interval_ms = 1000
[settings]
slow_statement_ms = 60
[traces]
keep = "all"
`;

/** How often each is asked for. */
const USERS = 30;
const CARTS = 2;
const CART_LINES = 12;
const ORDERS = 8;
const SEEN_ORDERS = 10;
const RELAYED = 6;
const FAILED = 5;
const WAITS = 3;
const ALL_STATEMENTS = USERS + CARTS * CART_LINES + ORDERS + SEEN_ORDERS + FAILED + WAITS;

type Route = [count: number, path: (n: number) => string, status: number, method?: PlannedRequest["method"]];

function planOf(shopUrl: string): PlannedRequest[] {
  const routes: Route[] = [
    [USERS, (n) => `/users/${n + 1}`, 200],
    [CARTS, () => `/carts/${CART_LINES}`, 200],
    [ORDERS, () => "/orders", 201, "POST"],
    [SEEN_ORDERS, (n) => `/shops/north/orders/${n + 1}`, 200],
    [RELAYED, (n) => `/relay/${n + 1}`, 200],
    [FAILED, () => "/fail/tag", 500],
    [WAITS, () => "/wait/database", 200],
  ];
  return routes.flatMap(([count, path, expectedStatus, method = "GET"]) =>
    Array.from({ length: count }, (_, n): PlannedRequest => {
      const request: PlannedRequest = { url: shopUrl + path(n), method, expectedStatus, action: "" };
      return method === "POST" ? { ...request, body: { item: `item ${n}` } } : request;
    }),
  );
}

describe("the console's pages of calls and errors", {
  skip: skipWithout("postgresql", "mariadb", "redis", "chromium"),
}, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let browser: Browser;
  /** The windows of the load and some before it, as a query. */
  let range: string;
  let minutes: number;
  let stockTarget: string;

  before(async () => {
    await takeTurn(cleanup);
    const databases = await startDatabases(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    const stateDir = new StateDir(cleanup);
    const keyFile = await createKeyFile(collector.stateDir, "pages");
    await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml: TOML });
    const agent = { by: "--import", socket: stateDir.agentSocket } as const;
    const steady = await startSteady(cleanup, agent);
    assert.equal((await fetch(`${steady.url}/count/1`)).status, 200);
    const stock = await startStock(cleanup, { agent, databases });
    stockTarget = new URL(stock.url).host;
    const shop = await startShop(cleanup, { agent, databases, stockUrl: stock.url });
    // The console shows no shorter ranges than 30 s.
    const fromMs = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS - 3 * WINDOW_MS;
    const plan = planOf(shop.url);
    const answers = await sendAll(plan, 4);
    assert.deepEqual(
      answers.filter(({ status, planned }) => status !== planned.expectedStatus),
      [],
    );
    const toMs = Math.ceil(Date.now() / WINDOW_MS) * WINDOW_MS;
    minutes = (toMs - fromMs) / 60_000;
    range = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}`;
    browser = await launchBrowser(cleanup);
    await eventually("all requests have arrived", 40_000, async () => {
      assert.equal(await collector.api.requestCount("shop"), plan.length);
      assert.equal(await collector.api.requestCount("stock"), RELAYED);
      assert.equal(await collector.api.requestCount("steady"), 1);
    });
    // Rates are per minute that has passed.
    await sleep(Math.max(0, toMs - Date.now()));
  });
  after(() => cleanup.run());

  const open = async (page: Page, path: string, more = ""): Promise<void> => {
    page.setDefaultTimeout(WAIT_MS);
    await page.goto(`${collector.url}${path}?${range}${more}`);
  };
  /** Cells of the one row of a table whose text matches, by the headings. */
  const cells = async (page: Page, name: string, row: RegExp): Promise<Record<string, string>> => {
    const table = page.getByRole("table", { name, exact: true });
    const found = table.getByRole("row", { name: row });
    await found.waitFor();
    const headings = await table.locator("th").allTextContents();
    const texts = await found.locator("td").allTextContents();
    assert.equal(texts.length, headings.length);
    return Object.fromEntries(headings.map((heading, i) => [heading.replace(" ▾", ""), texts[i] ?? ""]));
  };

  test("databases: each statement with its calls, its callers and its slow calls, as many as were sent", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await open(page, "/apps/shop/databases", "&cmp=1d");
    await page.getByRole("columnheader", { name: "Avg against yesterday" }).waitFor();
    const users = await cells(page, "Statements", /SELECT id, name FROM users/);
    assert.equal(users["Calls/min"], rateText(USERS / minutes));
    assert.equal(users["Error rate"], "0");
    assert.match(users["Avg against yesterday"] ?? "", /^–$/);
    assert.equal(
      (await cells(page, "Statements", /INSERT INTO orders/))["Calls/min"],
      rateText(ORDERS / minutes),
    );
    assert.equal(
      (await cells(page, "Statements", /SELECT shop, id FROM orders/))["Calls/min"],
      rateText(SEEN_ORDERS / minutes),
    );
    await page.getByRole("table", { name: "Slowest calls" }).getByText("pg_sleep").first().waitFor();
    assert.equal(await csvTotal(page, "Calls"), ALL_STATEMENTS);
    await assertNoSidewaysScroll(page);
    await takeScreenshot(page, "20-databases");

    await page.getByRole("link", { name: "Statement", exact: true }).click();
    await page.waitForURL(/by=operation/);
    await page
      .getByTitle(/^Show only SELECT/)
      .first()
      .waitFor();
    assert.equal(await csvTotal(page, "Calls"), ALL_STATEMENTS);

    const statements = page.getByRole("table", { name: "Statements" });
    await statements.getByRole("link", { name: /^SELECT name FROM users WHERE id = / }).click();
    await page.waitForURL(/sel=/);
    assert.equal((await cells(page, "Callers", /GET \/carts\/:lines/))["Calls"], String(CARTS * CART_LINES));
    await page.getByText(`${CARTS * CART_LINES} calls`).waitFor();
    await takeScreenshot(page, "21-statement");
    const samples = page.getByRole("table", { name: "Traces that show it" }).locator("tbody tr");
    await samples.first().waitFor();
    assert.equal(await samples.count(), CARTS);
    assert.equal(await samples.locator("td").nth(2).textContent(), String(CART_LINES));
    const sample = samples.locator("a").first();
    await sample.click();
    await page.waitForURL(/\/traces\/[0-9a-f]{32}\?.*sel=/);
    await page.getByText("GET /carts/:lines").first().waitFor();
    assert.deepEqual(complaints, []);
  });

  test("caches: calls and duration of each store, and every command", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await open(page, "/apps/shop/caches");
    assert.equal((await cells(page, "Commands", /^INCR/))["Calls/min"], rateText(ORDERS / minutes));
    assert.equal((await cells(page, "Commands", /^GET/))["Calls/min"], rateText(SEEN_ORDERS / minutes));
    await page.locator("canvas").nth(1).waitFor();
    await assertNoSidewaysScroll(page);
    await takeScreenshot(page, "22-caches");
    await page.getByRole("link", { name: "INCR", exact: true }).click();
    assert.equal((await cells(page, "Callers", /POST \/orders/))["Calls"], String(ORDERS));
    assert.deepEqual(complaints, []);
  });

  test("external: each service, who asks it, and traces that show it", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await open(page, "/apps/shop/external");
    const service = await cells(page, "Services", new RegExp(stockTarget));
    assert.equal(service["Calls/min"], rateText(RELAYED / minutes));
    assert.equal(service["Share"], "100.0\u00a0%");
    await takeScreenshot(page, "23-external");
    await page.getByRole("link", { name: stockTarget }).click();
    assert.equal((await cells(page, "Callers", /GET \/relay\/:id.*100\.0/))["Calls"], String(RELAYED));
    const samples = page.getByRole("table", { name: "Traces that show it" }).locator("tbody tr");
    await samples.first().waitFor();
    assert.equal(await samples.count(), RELAYED);
    await assertNoSidewaysScroll(page);
    await takeScreenshot(page, "24-service");
    assert.deepEqual(complaints, []);
  });

  test("errors: counted by group, marked as new, with stack, place and traces", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await open(page, "/apps/shop/errors", "&cmp=1d");
    await page.getByRole("columnheader", { name: "yesterday" }).waitFor();
    const group = await cells(page, "Errors", /the payment provider said no/);
    assert.equal(group["Count"], String(FAILED));
    assert.equal(group["yesterday"], "0");
    assert.match(group["Message"] ?? "", /^new Error/);
    assert.equal(await csvTotal(page, "Errors by class"), FAILED);
    await page.getByText("No process ended without a goodbye").waitFor();
    await assertNoSidewaysScroll(page);
    await takeScreenshot(page, "25-errors");
    await page.getByRole("link", { name: /the payment provider said no/ }).click();
    await page
      .getByText(/shop\/app\.js:\d+/)
      .first()
      .waitFor();
    const place = page.getByRole("table", { name: "Where it happened" }).locator("tbody tr");
    assert.deepEqual(await place.locator("td").allTextContents(), [
      "GET /fail/:tag",
      (await collector.api.hosts())[0]?.host,
      String(FAILED),
      "100.0\u00a0%",
    ]);
    await takeScreenshot(page, "26-error");
    await page.getByRole("table", { name: "Traces that show it" }).locator("a").first().click();
    await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
    await page.getByText("GET /fail/:tag").first().waitFor();
    assert.deepEqual(complaints, []);
  });

  test("the map: the called app is known by its name, and each line has the callers' numbers", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await open(page, "/map");
    const map = page.getByRole("group", { name: "Service map" });
    await map.getByRole("link", { name: /^shop/ }).waitFor();
    await map.getByRole("link", { name: /^stock/ }).waitFor();
    assert.equal(await map.getByText(stockTarget).count(), 0);
    await takeScreenshot(page, "27-map");
    await page.getByRole("link", { name: "Table", exact: true }).click();
    await page.waitForURL(/view=table/);
    assert.equal(
      (await cells(page, "Service map", /^stock.*shop/))["Calls/min"],
      rateText(RELAYED / minutes),
    );
    const postgres = USERS + CARTS * CART_LINES + ORDERS + FAILED + WAITS;
    assert.equal(
      (await cells(page, "Service map", /postgresql.*shop/))["Calls/min"],
      rateText(postgres / minutes),
    );
    await takeScreenshot(page, "28-map-table");
    const stockRow = page.getByRole("row", { name: /^stock.*shop/ });
    await stockRow.getByRole("link", { name: "stock", exact: true }).click();
    await page.waitForURL(/\/apps\/stock\?/);
    assert.deepEqual(complaints, []);
  });

  test("where nothing was called the page says so, and what would be recorded", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    for (const [section, sentence] of [
      ["databases", /Recorded without a change to the app: pg/],
      ["caches", /redis, ioredis/],
      ["external", /http, https/],
      ["errors", /uncaught errors/],
    ] as const) {
      await open(page, `/apps/steady/${section}`);
      await page.getByText(sentence).waitFor();
    }
    assert.deepEqual(complaints, []);
  });

  test("all of them fit a phone, dark and in Chinese, and can be reached there", async () => {
    const { page, complaints } = await openPage(browser, PHONE);
    await open(page, "/apps/shop");
    for (const [name, text, picture] of [
      ["数据库", /SELECT id, name FROM users/, "30-phone-databases"],
      ["缓存与 NoSQL", /INCR/, "31-phone-caches"],
      ["外部服务", new RegExp(stockTarget), "32-phone-external"],
      ["错误", /the payment provider said no/, "33-phone-errors"],
      ["服务拓扑", /stock/, "34-phone-map"],
    ] as const) {
      await page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
      await page.getByRole("main").getByText(text).first().waitFor();
      await assertNoSidewaysScroll(page);
      await takeScreenshot(page, picture);
    }
    assert.deepEqual(complaints, []);
  });
});

/** A rate as the console writes it, from the counts of the load. */
function rateText(perMinute: number): string {
  if (Number.isInteger(perMinute)) return String(perMinute);
  return perMinute < 9.995
    ? perMinute.toFixed(2)
    : perMinute < 99.95
      ? perMinute.toFixed(1)
      : perMinute.toFixed(0);
}

/** What a stacked chart of rates per minute adds up to over its range, by its CSV. */
async function csvTotal(page: Page, title: string): Promise<number> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: `Download “${title}” as CSV` }).click();
  const file = await (await download).path();
  const [heading = "", ...lines] = readFileSync(file, "utf8").trim().split("\r\n");
  const rows = lines.map((line) => line.split(","));
  const [first, second] = rows.map(([time]) => Date.parse(time ?? ""));
  const stepMinutes = first === undefined || second === undefined ? 1 / 6 : (second - first) / 60_000;
  const compared = heading.split(",").indexOf('"yesterday"');
  const total = rows.reduce(
    (sum, [, ...values]) =>
      sum + values.reduce((part, value, i) => part + (i + 1 === compared ? 0 : Number(value)), 0),
    0,
  );
  return Math.round(total * stepMinutes * 1_000) / 1_000;
}

async function assertNoSidewaysScroll(page: Page): Promise<void> {
  const [scrolled, shown] = await page.evaluate<[number, number]>(
    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
  );
  assert.ok(scrolled <= shown, `${page.url()} is ${scrolled} px wide on ${shown} px`);
}
