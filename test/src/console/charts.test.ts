import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchBrowser, openPage, takeScreenshot } from "../support/browser.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { skipWithout } from "../support/parts.ts";
import { settledPage } from "../support/settled-page.ts";
import { type Collector, createKeyFile, StateDir, startCollector } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";
import { HOST, tillBatch, WINDOWS } from "../support/till-batch.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

const DESKTOP = { viewport: { width: 1_440, height: 900 }, locale: "en-US", colorScheme: "light" } as const;
const DARK_CHINESE = { ...DESKTOP, locale: "zh-CN", colorScheme: "dark" } as const;
/** Charts are made when they come into view: a few of each page. */
const SMALL = { ...DESKTOP, viewport: { width: 1_000, height: 500 } } as const;
const PHONE = { viewport: { width: 390, height: 844 }, locale: "en-US", hasTouch: true } as const;

describe("charts of the console in a browser", { skip: skipWithout("chromium") }, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let browser: Browser;
  let firstSec = 0;
  /** The ten minutes of the hand-made batch. */
  let range = "";

  before(async () => {
    await takeTurn(cleanup);
    const stateDir = new StateDir(cleanup);
    collector = await startCollector(cleanup, stateDir);
    const key = readFileSync(await createKeyFile(stateDir, "foreign"), "utf8").trim();
    const uplink = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
    const stream = randomUUID();
    uplink.sendHello(stream);
    await uplink.waitFor("welcome");
    firstSec = Math.floor(Date.now() / 10_000) * 10 - 610;
    range = `from=${firstSec * 1_000}&to=${(firstSec + 600) * 1_000}`;
    uplink.send(tillBatch(stream, firstSec));
    await uplink.waitFor("ack");
    browser = await launchBrowser(cleanup);
  });
  after(() => cleanup.run());

  test("say how complete they are, and lead to what is missing, where and why", async () => {
    for (const [options, chip, reason, name] of [
      [DESKTOP, "97.2 % complete", "The journal on the host's disk was damaged", "20-ledger"],
      [DARK_CHINESE, "数据完整度 97.2 %", "主机磁盘上的日志损坏", "21-ledger-dark-zh"],
    ] as const) {
      const { page, complaints } = await openPage(browser, options);
      await page.goto(`${collector.url}/apps/till?${range}`);
      const charts = page.locator("figure.chart");
      await charts.first().locator("canvas").waitFor();
      const chips = charts.getByRole("link", { name: chip.replace(" %", "\u00a0%") });
      // All charts of the app; that of the host says it of the host's seconds.
      await eventually("each chart of the app has its chip", 10_000, async () =>
        assert.equal(await chips.count(), 5),
      );
      assert.ok((await amberPixels(page, 4)) > 0, "a ribbon where a part was lost");
      await takeScreenshot(page, `${name}-charts`);
      await chips.first().click();
      const dialog = page.getByRole("dialog");
      const row = dialog.getByRole("row", { name: reason });
      await row.waitFor();
      assert.match(await row.innerText(), /corrupt[^]*foreign[^]*15/);
      assert.equal(new URL(page.url()).searchParams.get("ledger"), "app:till");
      await takeScreenshot(page, name);
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      await page.waitForURL((url) => !url.searchParams.has("ledger"));
      assert.deepEqual(complaints, []);
    }
  });

  test("of a host say which seconds are missing", async () => {
    const { page, complaints } = await openPage(browser, PHONE);
    await page.goto(`${collector.url}/hosts/${HOST}?${range}&ledger=host:${HOST}`);
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Of 600 seconds").waitFor();
    await dialog.getByText(/580 are stored and 20 are missing/).waitFor();
    assert.equal(await dialog.locator("tbody tr").count(), 1);
    await assertNoSidewaysScroll(page);
    assert.deepEqual(withoutSnapshot(complaints), []);
  });

  test("can be read as tables, whose choice is in the address", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${collector.url}/apps/till?${range}`);
    await page.getByRole("button", { name: "Show “Throughput” as a table" }).click();
    assert.equal(new URL(page.url()).searchParams.get("table"), "throughput");
    const table = page.getByRole("region", { name: "Throughput" });
    await table
      .locator("tbody tr")
      .nth(WINDOWS - 1)
      .waitFor();
    assert.equal(await table.locator("tbody tr").count(), WINDOWS);
    const cells = async (n: number): Promise<string[]> =>
      table
        .locator("tbody tr")
        .nth(WINDOWS - 1 - n)
        .locator("td")
        .allInnerTexts();
    // 10 requests in 10 s are 60 a minute; in order: time, 5xx, 4xx, 3xx, 2xx, complete.
    assert.deepEqual((await cells(0)).slice(1), ["0", "0", "0", "60", "100.0\u00a0%"]);
    assert.deepEqual((await cells(31)).slice(1), ["0", "0", "0", "60", "66.7\u00a0%"]);
    assert.deepEqual((await cells(21)).slice(1), ["–", "–", "–", "–", "–"]);
    await takeScreenshot(page, "22-chart-table");
    assert.deepEqual(complaints, []);
  });

  test("lead from a bucket to its traces, and zoom by dragging; z goes back", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${collector.url}/apps/till?${range}`);
    const chart = page.locator("figure.chart").first().locator(".u-over");
    await chart.waitFor();
    const box = await chart.boundingBox();
    assert.ok(box);
    const at = (share: number): [number, number] => [box.x + box.width * share, box.y + box.height / 2];
    await page.mouse.move(...at(0.25));
    await page.mouse.down();
    await page.mouse.move(...at(0.5), { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/from=2/);
    const zoomed = new URL(page.url()).searchParams;
    const [fromMs, toMs] = [Date.parse(zoomed.get("from") ?? ""), Date.parse(zoomed.get("to") ?? "")];
    const middle = (firstSec + 225) * 1_000;
    assert.ok(fromMs < middle && middle < toMs && toMs - fromMs < 300_000, page.url());
    // Not the one of the zoomed range, which is given up.
    const whole = page.waitForResponse((response) => {
      const { pathname, searchParams } = new URL(response.url());
      return pathname.endsWith("/apps/till/series") && searchParams.get("from") === String(firstSec * 1_000);
    });
    await page.keyboard.press("z");
    await page.waitForURL(new RegExp(`from=${firstSec * 1_000}`));
    await (await whole).finished();
    await page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
    await page.mouse.click(...at(0.505));
    await page.waitForURL(/\/apps\/till\/traces/);
    const picked = new URL(page.url()).searchParams;
    assert.equal(Date.parse(picked.get("to") ?? "") - Date.parse(picked.get("from") ?? ""), 10_000);
    const pickedSec = Date.parse(picked.get("from") ?? "") / 1_000 - firstSec;
    assert.ok(pickedSec >= 290 && pickedSec <= 310, `${pickedSec} s after the beginning`);
    assert.deepEqual(complaints, []);
  });

  test("compare with the previous period, and show other clocks", async () => {
    const { page, complaints } = await openPage(browser, { ...DESKTOP, timezoneId: "America/New_York" });
    const half = `from=${(firstSec + 330) * 1_000}&to=${(firstSec + 600) * 1_000}`;
    await page.goto(`${collector.url}/apps/till?${half}&cmp=prev&table=split`);
    const table = page.getByRole("region", { name: "Where response time goes" });
    await table.getByRole("columnheader", { name: "previous period" }).waitFor();
    const oldest = table.locator("tbody tr").last();
    // The 34th window beside the 7th: 34 ms and 7 ms a request.
    await eventually("the period before is there", 10_000, async () => {
      const cells = (await oldest.locator("td").allInnerTexts()).map((text) => text.replace("\u00a0", " "));
      assert.equal(cells[6], "7.0 ms");
    });
    const shown = async (): Promise<string> => await oldest.locator("td").first().innerText();
    const utc = new Date((firstSec + 330) * 1_000).toISOString().slice(0, 19).replace("T", " ");
    assert.notEqual(await shown(), utc);
    await page.getByLabel("Time zone").first().selectOption("utc");
    await eventually("times are UTC", 5_000, async () => assert.equal(await shown(), utc));
    await page.getByLabel("Time zone").first().selectOption("host");
    const kolkata = new Date((firstSec + 330) * 1_000 + 19_800_000).toISOString().slice(0, 19);
    await eventually("times are the host's", 5_000, async () =>
      assert.equal(await shown(), kolkata.replace("T", " ")),
    );
    await page.getByText("UTC+05:30").first().waitFor();
    assert.deepEqual(complaints, []);
  });

  test("on a phone scroll under a finger, and select after a long press", async () => {
    const { page, complaints } = await openPage(browser, PHONE);
    await page.goto(`${collector.url}/apps/till?${range}`);
    const chart = page.locator("figure.chart").first().locator(".u-over");
    await chart.waitFor();
    await assertNoSidewaysScroll(page);
    const touch = await page.context().newCDPSession(page);
    const finger = async (type: "touchStart" | "touchMove" | "touchEnd", x = 0, y = 0): Promise<void> => {
      await touch.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: type === "touchEnd" ? [] : [{ x, y }],
      });
    };
    /** Where a finger meets the chart, once the page no longer moves. */
    const placeOnChart = async (): Promise<{ x: number; y: number }> => {
      await page.evaluate(
        `document.querySelector("figure.chart .u-over").scrollIntoView({ block: "center" })`,
      );
      let last = "";
      return eventually("the chart stands still in the middle", 20_000, async () => {
        const box = await chart.boundingBox();
        const before = last;
        last = JSON.stringify(box);
        assert.ok(box !== null && last === before, `${before}, then ${last}`);
        return { x: box.x + 60, y: box.y + box.height / 2 };
      });
    };
    const scrolled = await placeOnChart();
    const scrollPx = async (): Promise<number> => page.evaluate<number>("scrollY");
    const before = await scrollPx();
    await finger("touchStart", scrolled.x, scrolled.y);
    for (const step of [1, 2, 3, 4]) await finger("touchMove", scrolled.x, scrolled.y - step * 30);
    await finger("touchEnd");
    await eventually("the page has scrolled", 20_000, async () => assert.ok((await scrollPx()) > before));
    assert.match(page.url(), new RegExp(`from=${firstSec * 1_000}`));
    const { x, y } = await placeOnChart();
    await finger("touchStart", x, y);
    // The finger must not move before the press was long enough: what it selects shows that. What selects nothing
    // has no height, but its two borders' width.
    const selectedPx = `document.querySelector(".u-select").offsetHeight`;
    await eventually("the press selects", 20_000, async () =>
      assert.ok((await page.evaluate<number>(selectedPx)) > 0),
    );
    for (const step of [1, 2, 3, 4]) await finger("touchMove", x + step * 30, y);
    await finger("touchEnd");
    await page.waitForURL(/from=2/);
    assert.deepEqual(complaints, []);
  });

  test("let go of what they held: fifty pages later as much memory is in use", async () => {
    const { page, complaints } = await openPage(browser, SMALL);
    const settled = settledPage(page);
    await page.goto(`${collector.url}/apps/till?${range}`);
    await settled();
    const devtools = await page.context().newCDPSession(page);
    const pages = [
      ["till", `/apps/till?${range}`],
      [HOST, `/hosts/${HOST}?${range}`],
      ["GET /pay", `/apps/till/actions/${encodeURIComponent("GET /pay")}?${range}`],
    ];
    /** As the browser's own back and forward lead from page to page; each is left when it has drawn. */
    const visit = (count: number): Promise<void> =>
      page.evaluate(`(async (pages, count) => {
        const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)));
        for (let i = 0; i < count; i++) {
          const [title, path] = pages[i % pages.length];
          history.pushState(null, "", path);
          dispatchEvent(new PopStateEvent("popstate"));
          do await drawn();
          while (document.querySelector("main h1")?.textContent !== title || document.querySelector("main canvas") === null);
        }
      })(${JSON.stringify(pages)}, ${count})`);
    const inUse = async (): Promise<{ bytes: number; nodes: number; listeners: number }> => {
      await devtools.send("HeapProfiler.collectGarbage");
      const { nodes, jsEventListeners: listeners } = await devtools.send("Memory.getDOMCounters");
      return { bytes: (await devtools.send("Runtime.getHeapUsage")).usedSize, nodes, listeners };
    };
    await visit(12);
    await settled();
    const before = await inUse();
    await visit(51);
    await settled();
    const after = await inUse();
    const message = `before ${JSON.stringify(before)}, fifty pages later ${JSON.stringify(after)}`;
    // A page that stays has some hundred of both; the bytes grow a little by what the browser notes of each request.
    assert.ok(after.nodes < before.nodes + 200 && after.listeners < before.listeners + 30, message);
    assert.ok(after.bytes < before.bytes + 2_000_000, message);
    assert.deepEqual(withoutSnapshot(complaints), []);
  });
});

/** The hand-made host sent no snapshot, and its page asks for one. */
function withoutSnapshot(complaints: readonly string[]): string[] {
  const isSnapshot = (complaint: string): boolean => /\/snapshot\?|status of 404/.test(complaint);
  return complaints.filter((complaint) => !isSnapshot(complaint));
}

/** Pixels of the ribbon's colour, in either theme, in the n-th chart. */
async function amberPixels(page: Page, n: number): Promise<number> {
  const canvas = page.locator("figure.chart").nth(n).locator("canvas");
  await canvas.scrollIntoViewIfNeeded();
  return canvas.evaluate((element) => {
    const source = element as unknown as {
      width: number;
      height: number;
      getContext(kind: "2d"): { getImageData(...area: number[]): { data: ArrayLike<number> } };
    };
    const { data } = source.getContext("2d").getImageData(0, 0, source.width, source.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
      const [red = 0, green = 0, blue = 0] = [data[i], data[i + 1], data[i + 2]];
      const isLight = red === 206 && green === 124 && blue === 0;
      if (isLight || (red === 242 && green === 184 && blue === 74)) count++;
    }
    return count;
  });
}

async function assertNoSidewaysScroll(page: Page): Promise<void> {
  const [scrolled, shown] = await page.evaluate<[number, number]>(
    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
  );
  assert.ok(scrolled <= shown, `${page.url()} is ${scrolled} px wide on ${shown} px`);
}
