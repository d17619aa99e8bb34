import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchBrowser, openPage, takeScreenshot } from "./support/browser.ts";
import { Cleanup } from "./support/cleanup.ts";
import { eventually } from "./support/eventually.ts";
import { skipWithout } from "./support/parts.ts";
import { type Collector, PASSWORD, StateDir, setPassword, startCollector } from "./support/system.ts";

const DESKTOP = { viewport: { width: 1_440, height: 900 }, locale: "en-US", colorScheme: "light" } as const;
const PHONE = { viewport: { width: 390, height: 844 }, locale: "zh-CN", colorScheme: "dark" } as const;
const WANTED = "/hosts?from=now-3h&to=now";

describe("the console's log-in in a browser", { skip: skipWithout("chromium") }, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let browser: Browser;

  before(async () => {
    const stateDir = new StateDir(cleanup);
    await setPassword(stateDir);
    collector = await startCollector(cleanup, stateDir);
    browser = await launchBrowser(cleanup);
  });
  after(() => cleanup.run());

  async function logIn(page: Page): Promise<void> {
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Hosts", level: 1 }).waitFor();
  }

  test("asks first, says what is wrong, and opens the address that was wanted", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${collector.url}${WANTED}`);
    await page.getByLabel("Password", { exact: true }).waitFor();
    assert.equal(await page.getByRole("navigation").count(), 0, "nothing of the console shows yet");
    await takeScreenshot(page, "log-in");
    assert.equal(complaints.length, 0, `nothing is asked that would be refused: ${complaints.join()}`);
    await page.getByLabel("Password", { exact: true }).fill("not the password");
    await page.keyboard.press("Enter");
    await page.getByText("The password is wrong.").waitFor();
    await logIn(page);
    assert.equal(page.url(), `${collector.url}${WANTED}`);
    assert.deepEqual(
      complaints.filter((complaint) => !complaint.includes("401")),
      [],
    );
    assert.equal(await page.evaluate("document.cookie"), "", "scripts do not see the session");

    await page.getByRole("button", { name: "Log out" }).first().click();
    await page.getByLabel("Password", { exact: true }).waitFor();
    assert.equal(page.url(), `${collector.url}${WANTED}`);
  });

  test("a session that ends while the page is open leads to the log-in", async () => {
    const { page } = await openPage(browser, DESKTOP);
    await page.goto(`${collector.url}${WANTED}`);
    await logIn(page);
    await page.context().clearCookies();
    await page.getByRole("link", { name: "Apps", exact: true }).first().click();
    await page.getByLabel("Password", { exact: true }).waitFor();
    assert.match(page.url(), /\/apps\?/);
  });

  test("a live tab is shown the log-in by the end of its connection when another tab logs out", async () => {
    const { page } = await openPage(browser, DESKTOP);
    await page.goto(`${collector.url}${WANTED}`);
    await logIn(page);
    const live = { isClosed: false };
    page.on("websocket", (socket) => socket.on("close", () => (live.isClosed = true)));
    // What the page asks every 15 s would tell it too: before the connection has ended it is told what was true before.
    const server = await (await page.request.get(`${collector.url}/api/v1/server`)).json();
    await page.route("**/api/v1/server", (route) =>
      live.isClosed ? route.continue() : route.fulfill({ json: server }),
    );
    const to = Date.now();
    await page.goto(`${collector.url}/hosts/nowhere?from=${to - 600_000}&to=${to}&live=1`);
    await page.getByText("no daemon is connected: nowhere").waitFor();
    const out = await page.request.post(`${collector.url}/api/v1/logout`, {
      headers: { origin: collector.url },
    });
    assert.equal(out.status(), 200);
    await page.getByLabel("Password", { exact: true }).waitFor();
    assert.ok(live.isClosed);
  });

  test("a page of another site that posts forms and scripts ends no session", async () => {
    const context = await browser.newContext(DESKTOP);
    const page = await context.newPage();
    await page.goto(`${collector.url}${WANTED}`);
    await logIn(page);
    const seen: string[] = [];
    const evil = createServer((request, response) => {
      if (request.url?.startsWith("/seen")) seen.push(request.url);
      response.setHeader("content-type", "text/html");
      response.end(`<form method="post" action="${collector.url}/api/v1/logout" target="frame"><input name="a" value="b"></form>
        <iframe name="frame"></iframe><script>
          document.forms[0].submit();
          const call = (path, init) => fetch("${collector.url}" + path, { credentials: "include", ...init });
          Promise.allSettled([
            call("/api/v1/logout", { method: "POST", mode: "no-cors" }),
            call("/api/v1/logout", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }),
            call("/api/v1/apps").then((answer) => answer.text()),
          ]).then((all) => fetch("/seen?" + all.map((one) => one.status).join()));
        </script>`);
    }).listen(0, "127.0.0.1");
    cleanup.add(() => {
      evil.close();
    });
    await once(evil, "listening");
    const { port } = evil.address() as AddressInfo;
    // Both the same site by another port, whose requests carry the cookie, and another site.
    for (const host of ["127.0.0.1", "localhost"]) {
      const other = await context.newPage();
      await other.goto(`http://${host}:${port}/`);
      await other.waitForLoadState("networkidle");
      await other.close();
    }
    await eventually("both pages have tried", 20_000, () => assert.equal(seen.length, 2));
    for (const outcome of seen) assert.match(outcome, /,rejected,rejected$/, "no script reads an answer");
    await page.reload();
    await page.getByRole("heading", { name: "Hosts", level: 1 }).waitFor();
  });

  test("fits a phone, a dark room and Chinese", async () => {
    const { page } = await openPage(browser, PHONE);
    await page.goto(collector.url);
    await page.getByLabel("密码", { exact: true }).waitFor();
    await takeScreenshot(page, "log-in-phone");
    const [scrollPx, widthPx] = await page.evaluate<[number, number]>(
      "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
    );
    assert.equal(scrollPx, widthPx);
  });
});
