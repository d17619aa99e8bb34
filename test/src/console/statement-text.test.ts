import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { launchBrowser, openPage, takeScreenshot } from "../support/browser.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { skipWithout } from "../support/parts.ts";
import type { Program } from "../support/program.ts";
import { SpanMaker } from "../support/span-maker.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const DESKTOP = { viewport: { width: 1_440, height: 900 }, locale: "en-US", colorScheme: "light" } as const;
const PHONE = { viewport: { width: 390, height: 844 }, locale: "zh-CN", colorScheme: "dark" } as const;
const APP = "maker";
/** What the app's statement is but for its operation, SELECT stock, which is told. */
const TEXT = /count FROM stock/;
const TOML = `seal_interval_ms = 1000
host_name = "quiet-host"
[settings]
sql = "local"
`;

describe("a statement whose text its host keeps to itself, in a browser", {
  skip: skipWithout("chromium"),
}, () => {
  const cleanup = new Cleanup();
  const stateDir = new StateDir(cleanup);
  let collector: Collector;
  let daemon: Program;
  let browser: Browser;

  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    const keyFile = await createKeyFile(collector.stateDir, "quiet");
    daemon = await startDaemon(cleanup, {
      stateDir,
      collectorUrl: collector.uplinkUrl,
      keyFile,
      toml: TOML,
    });
    const maker = await SpanMaker.start(cleanup, { socket: stateDir.agentSocket, name: APP });
    await maker.make(3);
    browser = await launchBrowser(cleanup);
    await eventually("the statement is stored", 40_000, async () => {
      const [operation] = await collector.api.operations(APP, "database");
      assert.deepEqual([operation?.calls, operation?.statementText], [3, null]);
    });
  });
  after(() => cleanup.run());

  test("is shown without it, and with it once the host was asked; nothing of that is kept", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${collector.url}/apps/${APP}/databases`);
    await page.getByRole("table", { name: "Statements" }).getByRole("link", { name: "SELECT stock" }).click();
    const ask = page.getByRole("button", { name: "Ask the hosts for the text" });
    await ask.waitFor();
    assert.equal(await page.getByText(TEXT).count(), 0);
    await ask.click();
    await page.getByText(TEXT).waitFor();
    await page.getByText("Told by its host just now; not stored.").waitFor();
    assert.equal(await ask.count(), 0);
    await takeScreenshot(page, "35-statement-text");
    await page.reload();
    await ask.waitFor();
    assert.equal(await page.getByText(TEXT).count(), 0);
    assert.deepEqual(complaints, []);
  });

  test("is not told by a host that is away, which the page names; on a phone, too", async () => {
    await daemon.stop();
    const { page, complaints } = await openPage(browser, PHONE);
    const [operation] = await collector.api.operations(APP, "database");
    assert.ok(operation);
    await page.goto(`${collector.url}/apps/${APP}/databases`);
    await page.getByRole("link", { name: "SELECT stock" }).first().click();
    await page.getByRole("button", { name: "向主机询问" }).click();
    const answer = page.getByRole("status");
    await answer.getByText("quiet-host").waitFor();
    await answer.getByText("未连接").waitFor();
    assert.equal(await page.getByText(TEXT).count(), 0);
    const [scrollPx, widthPx] = await page.evaluate<[number, number]>(
      "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
    );
    assert.equal(scrollPx, widthPx);
    await takeScreenshot(page, "36-statement-text-away");
    assert.deepEqual(complaints, []);
  });
});
