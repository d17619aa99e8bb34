import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchBrowser, openPage, takeScreenshot } from "../support/browser.ts";
import { Cleanup } from "../support/cleanup.ts";
import { skipWithout } from "../support/parts.ts";
import {
  ACTION,
  BY_DISK,
  LOST_SPANS,
  SLOW,
  SLOW_TRACES,
  SLOW_WINDOWS,
  type SlowStory,
  STATEMENT,
  slowStory,
  WINDOWS,
} from "../support/slow-story.ts";
import { type Collector, createKeyFile, StateDir, startCollector } from "../support/system.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

const DESKTOP = {
  viewport: { width: 1_440, height: 900 },
  locale: "en-US",
  timezoneId: "UTC",
  colorScheme: "light",
} as const;
const DARK = { ...DESKTOP, colorScheme: "dark" } as const;
const PHONE = { ...DARK, viewport: { width: 390, height: 844 }, locale: "zh-CN" } as const;

describe("why something was slow, in a browser", { skip: skipWithout("chromium") }, () => {
  const cleanup = new Cleanup();
  const story: SlowStory = slowStory(Date.now());
  let collector: Collector;
  let browser: Browser;

  before(async () => {
    const stateDir = new StateDir(cleanup);
    collector = await startCollector(cleanup, stateDir);
    const key = readFileSync(await createKeyFile(stateDir, "hosts"), "utf8").trim();
    const uplink = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
    uplink.sendHello(randomUUID());
    await uplink.waitFor("welcome");
    for (const batch of story.batches) {
      uplink.send(batch);
      await uplink.waitFor("ack");
    }
    browser = await launchBrowser(cleanup);
  });
  after(() => cleanup.run());

  const range = `from=${story.fromMs}&to=${story.toMs}`;

  test("a trace shows its host on the waterfall's axis, what is missing, and where it stands in its action", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${collector.url}/traces/${story.longTraceId}`);
    const lane = page.getByRole("region", { name: "The host in these seconds" });
    await lane.locator(".lane-row").first().waitFor();
    const rows = await lane.locator(".lane-row").allTextContents();
    const rowOf = (name: string): string => rows.find((row) => row.startsWith(name)) ?? `no row ${name}`;
    // 0.62 of I/O pressure, a little more in some seconds, beside 0.01 before.
    assert.match(rowOf("Waiting for I/O"), /7\d\.\d.% usual 1\.\d\d.%/);
    assert.match(rowOf("Event-loop lag"), /42\.0.ms usual 11\.0.ms/);
    assert.match(rowOf("Busiest other process"), /90\.0.% tar -czf/);
    // The axis of the lane is that of the waterfall: the entry span covers both.
    const bar = await page.locator(".waterfall-item .bar").first().boundingBox();
    const track = await lane.locator(".lane-bars").first().boundingBox();
    assert.ok(bar && track);
    assert.ok(Math.abs(bar.x - track.x) <= 1 && Math.abs(bar.width - track.width) <= 1, "same axis");
    await page.getByText(`${LOST_SPANS} × missing`).waitFor();
    await page.getByText("only its children arrived").waitFor();
    // All of the 4,837 but the one of 95 s.
    await page.getByText(/slower than 99\.97.% of the 4\.84k requests/).waitFor();
    const bold = await page.locator(".waterfall-name .strong").allTextContents();
    assert.deepEqual(bold, [
      "GET /carts/:id",
      "middleware auth",
      "loadCart",
      "12 × SELECT prices",
      "INSERT carts",
    ]);
    await lane.locator(".lanes").focus();
    await page.keyboard.press("ArrowRight");
    await page.locator(".lane-cursor").first().waitFor();
    assert.ok((await page.locator(".lane-request").count()) > 0, "the request's seconds are marked");
    assert.ok((await page.locator(".lanes .hatched").count()) > 0, "seconds that did not arrive are hatched");
    await assertFits(page);
    await takeScreenshot(page, "20-trace-lane");
    assert.deepEqual(complaints, []);
  });

  test("a rectangle in the heatmap tells what differs in it, by pointer and by keys, and stands in the address", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${collector.url}/apps/shop/actions/${encodeURIComponent(ACTION)}?${range}`);
    const plot = page.locator(".latency-plot");
    await page.getByText(/4\.84k requests\. Drag a rectangle/).waitFor();
    await plot.scrollIntoViewIfNeeded();
    const box = await plot.boundingBox();
    assert.ok(box);
    // The slow windows, from 600 ms up to beyond the axis.
    const x = (window: number): number => box.x + 58 + (box.width - 66) * (window / WINDOWS);
    const first = SLOW_WINDOWS[0] ?? 0;
    await page.mouse.move(x(first + 0.5), box.y + 60);
    await page.mouse.down();
    await page.mouse.move(x(first + SLOW_WINDOWS.length - 0.5), box.y + 6, { steps: 4 });
    await page.mouse.up();
    const selection = page.getByRole("region", { name: "Selection" });
    await selection.getByText(`${SLOW_WINDOWS.length * SLOW} requests selected`).waitFor();
    const table = selection.getByRole("table", { name: "What differs" });
    const differs = await table.getByRole("row").allTextContents();
    const rowOf = (name: string): string =>
      differs.find((row) => row.startsWith(name)) ?? `no ${name}: ${differs.join("|")}`;
    assert.match(rowOf("web-2"), /host100\.0.% 36 of 36.*50\.\d.% 2\.40k of 4\.80kall requests/);
    assert.match(rowOf(STATEMENT), /100\.0.% 15 of 15.*0 0 of 30kept traces/);
    assert.match(rowOf("1.5.0"), /app version100\.0.% 15 of 15/);
    assert.match(rowOf("The disk was busy"), /80\.0.% 12 of 15/);
    assert.match(rowOf("20.0\u00a0% or more"), /waiting for I\/O.*100\.0.% 15 of 15/);
    assert.equal(await selection.locator('a[href*="/traces/"]').count(), SLOW_TRACES);
    await assertFits(page);
    await takeScreenshot(page, "23-heatmap-selection");
    const address = page.url();
    assert.match(new URL(address).searchParams.get("sel") ?? "", /^\d+,\d+,\d+(\.\d+)?,$/);
    await page.goto("about:blank");
    await page.goto(address);
    await selection.getByText("36 requests selected").waitFor();

    await plot.focus();
    await page.keyboard.press("Escape");
    await selection.waitFor({ state: "detached" });
    // From the newest and fastest cell up to the top row, and back over all columns.
    for (let i = 0; i < 61; i++) await page.keyboard.press("ArrowUp");
    for (let i = 0; i < WINDOWS; i++) await page.keyboard.press("Shift+ArrowLeft");
    await page.keyboard.press("Enter");
    await selection.getByText("1 requests selected").waitFor();
    await page.getByRole("link", { name: "Kept traces" }).click();
    await page.getByText(/slowest kept traces; filled/).waitFor();
    await takeScreenshot(page, "24-scatter");
    assert.deepEqual(complaints, []);
  });

  test("the app and the home page say why requests were slow, with evidence and an example, and what died", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    const sentence = `The disk was busy in ${BY_DISK} of ${SLOW_TRACES} kept traces slower than 500\u00a0ms`;
    await page.goto(`${collector.url}/apps/shop?${range}`);
    const banner = page.getByRole("region", { name: "Why slow" });
    await banner.getByText(sentence).waitFor();
    for (const part of [/^waiting for I\/O 62\.0.%$/, /^usual 1\.00.%$/, /^most of all tar/])
      await banner.getByText(part).waitFor();
    await assertFits(page);
    await takeScreenshot(page, "26-app-verdict");
    await page.goto(`${collector.url}/?${range}`);
    await page.getByText(sentence).waitFor();
    const died = page.getByRole("region", { name: "Processes that died" });
    await died.getByText("Killed by the kernel for lack of memory").waitFor();
    const host = page.getByRole("table", { name: "Hosts", exact: true }).getByRole("row", { name: /web-2/ });
    assert.match((await host.textContent()) ?? "", /I\/O 1\.\d+.%/);
    await takeScreenshot(page, "27-home");
    await page.getByRole("link", { name: /Example/ }).click();
    await page.waitForURL(new RegExp(`/traces/${story.longTraceId}`));
    assert.deepEqual(complaints, []);
  });

  test("the same in Chinese, in the dark and on a phone", async () => {
    const sel = `sel=${story.toMs - 300_000},${story.toMs - 240_000},500,`;
    const action = `apps/shop/actions/${encodeURIComponent(ACTION)}?${range}&${sel}`;
    const pages = [
      [`traces/${story.longTraceId}`, ".lane-row", "21-trace-lane"],
      [action, ".differs-share", "25-heatmap"],
      [`apps/shop?${range}`, ".verdict-summary", "26-app-verdict"],
      [`?${range}`, ".verdict-summary", "27-home"],
    ] as const;
    for (const [options, name, some] of [
      [DARK, "dark", pages.slice(0, 2)],
      [PHONE, "phone", pages],
    ] as const) {
      const { page, complaints } = await openPage(browser, options);
      for (const [path, sign, picture] of some) {
        await page.goto(`${collector.url}/${path}`);
        await page.locator(sign).first().waitFor();
        await assertFits(page);
        await takeScreenshot(page, `${picture}-${name}`);
      }
      assert.deepEqual(complaints, []);
    }
  });
});

async function assertFits(page: Page): Promise<void> {
  const [scrolled, shown] = await page.evaluate<[number, number]>(
    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
  );
  assert.ok(scrolled <= shown, `${page.url()} is ${scrolled} px wide on ${shown} px`);
}
