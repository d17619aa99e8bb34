import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { startShop, startSteady, startStock } from "./support/apps.ts";
import { launchBrowser, openPage, takeScreenshot } from "./support/browser.ts";
import { Cleanup } from "./support/cleanup.ts";
import { startDatabases } from "./support/databases.ts";
import { eventually } from "./support/eventually.ts";
import { type PlannedRequest, sendAll } from "./support/load-generator.ts";
import { skipWithout } from "./support/parts.ts";
import { type Collector, StateDir, startUp } from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";
import { plan5000 } from "./support/traffic.ts";

/** Each tenth request of the big load has all of its routes in it. */
const EVERY = 10;
const DESKTOP = { viewport: { width: 1_440, height: 900 }, locale: "en-US", colorScheme: "light" } as const;
const PHONE = { viewport: { width: 390, height: 844 }, locale: "en-US", colorScheme: "dark" } as const;

describe("the console in a browser", {
  skip: skipWithout("postgresql", "mariadb", "redis", "chromium"),
}, () => {
  const cleanup = new Cleanup();
  let up: Collector;
  let browser: Browser;

  before(async () => {
    await takeTurn(cleanup);
    const stateDir = new StateDir(cleanup);
    const [started, databases] = await Promise.all([startUp(cleanup, stateDir), startDatabases(cleanup)]);
    up = started;
    const agent = { by: "--import", socket: stateDir.agentSocket } as const;
    const steady = await startSteady(cleanup, agent);
    for (const amount of [30, 12]) assert.equal((await fetch(`${steady.url}/count/${amount}`)).status, 200);
    const stock = await startStock(cleanup, { agent, databases });
    const shop = await startShop(cleanup, { agent, databases, stockUrl: stock.url });
    const cart: PlannedRequest = {
      url: `${shop.url}/carts/12`,
      method: "GET",
      expectedStatus: 200,
      action: "GET /carts/:lines",
    };
    const some = plan5000(shop.url, stock.url).all.filter((_, n) => n % EVERY === 0);
    const planned = [...some, cart];
    await sendAll(planned, 16);
    const toShop = planned.filter(({ url }) => url.startsWith(shop.url)).length;
    await eventually("all that the pages show is in the API", 40_000, async () => {
      assert.equal(await up.api.requestCount("shop"), toShop);
      assert.equal(await up.api.requestCount("steady"), 2);
      const [host] = await up.api.hosts();
      assert.ok(host?.cpuRatio, "rates need two samples of the host");
    });
    browser = await launchBrowser(cleanup);
  });
  after(() => cleanup.run());

  test("leads from the home page by the app's name and its actions down to the waterfall of a failure", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(up.url);
    const app = page.getByRole("link", { name: "shop", exact: true }).first();
    await app.waitFor();
    await page.getByRole("link", { name: "stock", exact: true }).first().waitFor();
    await takeScreenshot(page, "1-home");

    await app.click();
    await page.waitForURL(/\/apps\/shop(\?|$)/);
    await page.locator("canvas").first().waitFor();
    await page.getByText("GET /users/:id").first().waitFor();
    await assertNoSidewaysScroll(page);
    await takeScreenshot(page, "2-app");

    await page
      .getByRole("link", { name: /actions/i })
      .first()
      .click();
    await page.waitForURL(/\/apps\/shop\/actions/);
    const action = page.getByRole("link", { name: "GET /fail/:tag" }).first();
    await action.waitFor();
    await takeScreenshot(page, "3-actions");

    await action.click();
    const trace = page.locator('a[href*="/traces/"]').first();
    await trace.waitFor();
    await takeScreenshot(page, "4-traces");

    await trace.click();
    await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
    await page.getByText("GET /fail/:tag").first().waitFor();
    await page
      .getByText(/SELECT/)
      .first()
      .waitFor();
    await assertNoSidewaysScroll(page);
    await takeScreenshot(page, "5-waterfall");
    assert.deepEqual(complaints, []);
  });

  test("shows the host with its charts", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    const [host] = await up.api.hosts();
    assert.ok(host);
    await page.goto(`${up.url}/hosts/${encodeURIComponent(host.host)}`);
    await page.getByRole("heading", { name: host.host }).first().waitFor();
    await page.locator("canvas").first().waitFor();
    await takeScreenshot(page, "6-host");
    assert.deepEqual(complaints, []);
  });

  test("marks and filters traces with repeated calls, and says of a trace what could spare them, in both languages", async () => {
    for (const [options, sentence, name] of [
      [DESKTOP, /ran 12 times under .*: .*One statement \(IN/, "9-repeats"],
      [{ ...PHONE, locale: "zh-CN" }, /下执行了 12 次/, "10-repeats-phone"],
    ] as const) {
      const { page, complaints } = await openPage(browser, options);
      await page.goto(`${up.url}/apps/shop/traces?repeats=true`);
      const trace = page.locator('tr:has-text("N+1") a[href*="/traces/"]').first();
      await trace.waitFor();
      await assertNoSidewaysScroll(page);
      assert.equal(await page.getByText("/users/:id").count(), 0);
      await trace.click();
      await page.getByText(sentence).waitFor();
      await page.getByRole("link", { name: /^SELECT name FROM users WHERE id = / }).waitFor();
      await assertNoSidewaysScroll(page);
      await takeScreenshot(page, name);
      assert.deepEqual(complaints, []);
    }
  });

  test("shows what an app counts itself, and by which release a process runs", async () => {
    const { version } = JSON.parse(
      readFileSync(new URL("../apps/steady/package.json", import.meta.url), "utf8"),
    ) as { version: string };
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${up.url}/apps/steady`);
    await page.getByRole("row", { name: /pages turned .*42$/ }).waitFor();
    await assertNoSidewaysScroll(page);
    await takeScreenshot(page, "11-counters");
    const [host] = await up.api.hosts();
    await page.goto(`${up.url}/hosts/${encodeURIComponent(host?.host ?? "")}`);
    await page.getByRole("row", { name: `steady ${version}` }).waitFor();
    await takeScreenshot(page, "12-processes");
    assert.deepEqual(complaints, []);
  });

  test("fits a phone and a dark room", async () => {
    const { page, complaints } = await openPage(browser, PHONE);
    for (const [name, path] of [
      ["7-phone-home", ""],
      ["8-phone-app", "/apps/shop"],
    ] as const) {
      await page.goto(`${up.url}${path}`);
      await page.getByText("shop").filter({ visible: true }).first().waitFor();
      await page.waitForLoadState("networkidle");
      await assertNoSidewaysScroll(page);
      await takeScreenshot(page, name);
    }
    assert.deepEqual(complaints, []);
  });

  test("keeps in the address which series of a chart is shown alone", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${up.url}/apps/shop`);
    const database = page.getByRole("button", { name: /^Database/ });
    await database.click();
    await page.waitForURL((url) => url.searchParams.get("only") === "split:database");
    await page.getByRole("button", { name: /^p95/ }).click();
    await page.waitForURL((url) => url.searchParams.get("only") === "split:database,percentiles:p95");
    await page.reload();
    await page.locator('button[aria-pressed="true"]', { hasText: "Database" }).waitFor();
    await database.click();
    await page.waitForURL((url) => url.searchParams.get("only") === "percentiles:p95");
    assert.deepEqual(complaints, []);
  });

  test("leaving a page ends the calls that it waits for", async () => {
    const { page } = await openPage(browser, DESKTOP);
    const ended: string[] = [];
    page.on("requestfailed", (request) => {
      if (request.failure()?.errorText === "net::ERR_ABORTED") ended.push(new URL(request.url()).pathname);
    });
    // No answer comes to what the app's page asks.
    const asked: string[] = [];
    await page.route(/\/api\/v1\/apps\/shop\//, (route) => {
      asked.push(new URL(route.request().url()).pathname);
    });
    await page.goto(`${up.url}/apps/shop`);
    await eventually("the page asks", 30_000, async () => {
      for (const name of ["summary", "series", "actions", "traces"])
        assert.ok(asked.includes(`/api/v1/apps/shop/${name}`), `${name} is not among ${asked.join(" ")}`);
    });
    await page.getByRole("link", { name: "Hosts", exact: true }).first().click();
    await page.waitForURL(/\/hosts/);
    await eventually("all of them end", 30_000, async () => {
      assert.deepEqual([...ended].sort(), [...asked].sort());
    });
  });

  test("shows a chosen theme at once, not the system's until its script is there", async () => {
    const { page } = await openPage(browser, DESKTOP);
    await page.goto(up.url);
    await page.evaluate("localStorage.setItem('apm.theme', 'dark')");
    // The page's own script never comes.
    await page.route(/\/assets\/app-[^/]*\.js$/, (route) => route.abort());
    await page.reload({ waitUntil: "load" });
    assert.equal(await page.evaluate("getComputedStyle(document.documentElement).colorScheme"), "dark");
    await page.context().close();
  });

  test("keeps the time range in the address", async () => {
    const { page } = await openPage(browser, DESKTOP);
    await page.goto(`${up.url}/apps/shop?from=now-3h&to=now`);
    await page.getByText("GET /users/:id").first().waitFor();
    await page
      .getByRole("link", { name: /actions/i })
      .first()
      .click();
    await page.waitForURL(/\/apps\/shop\/actions/);
    assert.equal(new URL(page.url()).searchParams.get("from"), "now-3h");
  });
});

async function assertNoSidewaysScroll(page: Page): Promise<void> {
  const [scrolled, shown] = await page.evaluate<[number, number]>(
    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
  );
  assert.ok(scrolled <= shown, `${page.url()} is ${scrolled} px wide on ${shown} px`);
}
