import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { BatchHeader } from "@apm-daemon/protocol";
import type { Browser, Page } from "playwright-core";
import { type RunningApp, startSteady } from "../support/apps.ts";
import { batchFile, oneRequest } from "../support/batches.ts";
import { launchBrowser, openPage, takeScreenshot } from "../support/browser.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { skipWithout } from "../support/parts.ts";
import { type Collector, createKeyFile, StateDir, startUp } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

const DESKTOP = { viewport: { width: 1_440, height: 900 }, locale: "en-US", colorScheme: "light" } as const;
const DARK_CHINESE = { ...DESKTOP, locale: "zh-CN", colorScheme: "dark" } as const;
const PHONE = { viewport: { width: 390, height: 844 }, locale: "en-US", hasTouch: true } as const;

/** The name that the hand-made uplink says in its hello: a daemon of an older version. */
const HOST = "foreign";
const WINDOWS = 60;
/** Windows of which nothing came, and those of which a third was lost. */
const isMissing = (n: number): boolean => n >= 20 && n < 27;
const isPartial = (n: number): boolean => n >= 30 && n < 33;

/** An app's and its host's last ten minutes, with known gaps: 530 of 545 spans, 580 of 600 seconds. */
function tillBatch(stream: string, firstSec: number): Buffer {
  const numbers = Array.from({ length: WINDOWS }, (_, n) => n).filter((n) => !isMissing(n));
  const seconds = Array.from({ length: 600 }, (_, i) => i).filter((i) => i < 100 || i >= 120);
  const host: BatchHeader["host"] = {
    id: "0123456789abcdef0123456789abcdef",
    name: HOST,
    os: "linux",
    kernel: "6.1",
    arch: "x64",
    cpuModel: "",
    cores: 2,
    memTotalBytes: 1_000,
    virtualization: "",
    bootUnixMs: 0,
    daemonVersion: "0.0.0",
    nodeVersion: "20.0.0",
    timeZone: "Asia/Kolkata",
  };
  return batchFile(stream, 1, {
    host,
    apps: [{ app: "till", apdexTMs: 500, instances: [] }],
    hostSeconds: {
      tsSec: seconds.map((i) => firstSec + i),
      columns: {
        cpuIdleRatio: seconds.map(() => 0.75),
        cpuUserRatio: seconds.map(() => 0.25),
        load1: seconds.map((i) => i / 100),
      },
    },
    actions: numbers.map((n) =>
      oneRequest("till", "GET /pay", {
        tsSec: firstSec + n * 10,
        requests: 10,
        satisfied: 10,
        sumUs: 10_000 * (n + 1),
      }),
    ),
    ledger: numbers.map((n) => ({
      tsSec: firstSec + n * 10,
      app: "till",
      received: 10,
      dropped: isPartial(n) ? { corrupt: 5 } : {},
      created: isPartial(n) ? 15 : 10,
    })),
  });
}

/** These fail, and it is not known yet whether by the console or by themselves. */
const NOT_SETTLED = "fails; the cause is not known yet";

describe("charts of the console in a browser", { skip: skipWithout("chromium") }, () => {
  const cleanup = new Cleanup();
  let up: Collector;
  let browser: Browser;
  let steady: RunningApp;
  let firstSec = 0;
  /** The ten minutes of the hand-made batch. */
  let range = "";

  before(async () => {
    await takeTurn(cleanup);
    const stateDir = new StateDir(cleanup);
    up = await startUp(cleanup, stateDir);
    steady = await startSteady(cleanup, { by: "--import", socket: stateDir.agentSocket });
    const key = readFileSync(await createKeyFile(stateDir, "foreign"), "utf8").trim();
    const uplink = await UplinkSocket.open(cleanup, up.uplinkUrl, key);
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
      await page.goto(`${up.url}/apps/till?${range}`);
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
    await page.goto(`${up.url}/hosts/${HOST}?${range}&ledger=host:${HOST}`);
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Of 600 seconds").waitFor();
    await dialog.getByText(/580 are stored and 20 are missing/).waitFor();
    assert.equal(await dialog.locator("tbody tr").count(), 1);
    await assertNoSidewaysScroll(page);
    assert.deepEqual(withoutSnapshot(complaints), []);
  });

  test("can be read as tables, whose choice is in the address", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${up.url}/apps/till?${range}`);
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
    await page.goto(`${up.url}/apps/till?${range}`);
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
    const whole = page.waitForResponse(/apps\/till\/series/);
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
    await page.goto(`${up.url}/apps/till?${half}&cmp=prev&table=split`);
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

  test("of a host go on by the second, pushed or polled, before any batch has them", async () => {
    const [host] = (await up.api.hosts()).filter(({ host }) => host !== HOST);
    assert.ok(host);
    for (const isBlocked of [false, true]) {
      const { page, complaints } = await openPage(browser, DESKTOP);
      if (isBlocked) await page.routeWebSocket(/\/api\/v1\/live/, (socket) => socket.close());
      await page.goto(`${up.url}/hosts/${encodeURIComponent(host.host)}?table=cpu`);
      await page.locator("canvas").first().waitFor();
      await page.keyboard.press("l");
      await page.waitForURL(/live=1/);
      const newest = page.getByRole("region", { name: "CPU" }).locator("tbody tr").first();
      const seen = new Set<string>();
      let beforeStored = 0;
      await eventually("the newest second is newer than any stored one, three times", 45_000, async () => {
        const shown = await newest.locator("td").first().innerText();
        const { cols, t0 } = await storedSeconds(up.url, host.host);
        const stored = t0 + cols.cpuUserRatio.findLastIndex((value) => value !== null) * 1_000;
        if (!seen.has(shown) && Date.parse(shown) > stored) beforeStored++;
        seen.add(shown);
        assert.ok(beforeStored >= 3, `${shown}, stored up to ${new Date(stored).toISOString()}`);
      });
      if (isBlocked) await page.getByText("The live connection does not get through").waitFor();
      else await takeScreenshot(page, "23-host-live");
      await page.keyboard.press("l");
      await page.waitForURL((url) => !url.searchParams.has("live"));
      if (!isBlocked) assert.deepEqual(complaints, []);
      await page.context().close();
    }
  });

  test("of an app go on by the second too, and an older daemon is named", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await eventually("the app is stored", 40_000, async () => {
      assert.equal((await fetch(steady.url)).status, 200);
      assert.ok((await up.api.requestCount("steady")) > 0);
    });
    await page.goto(`${up.url}/apps/steady?from=now-5m&to=now&live=1&table=live-requests`);
    const rows = page.getByRole("region", { name: "Requests" }).locator("tbody tr");
    await eventually("a request is shown in the second that it was counted in", 30_000, async () => {
      await fetch(steady.url);
      const counts = await rows.locator("td:nth-child(2)").allInnerTexts();
      assert.ok(
        counts.some((text) => Number(text) > 0),
        counts.slice(0, 8).join(),
      );
    });
    await takeScreenshot(page, "24-app-live");
    await page.goto(`${up.url}/hosts/${HOST}?from=now-15m&to=now&live=1`);
    await page.getByText("the daemon is too old: foreign (0.0.0)").waitFor();
    assert.deepEqual(withoutSnapshot(complaints), []);
  });

  test("on a phone scroll under a finger, and select after a long press", { skip: NOT_SETTLED }, async () => {
    const { page, complaints } = await openPage(browser, PHONE);
    await page.goto(`${up.url}/apps/till?${range}`);
    const chart = page.locator("figure.chart").first().locator(".u-over");
    await chart.scrollIntoViewIfNeeded();
    await chart.waitFor();
    await assertNoSidewaysScroll(page);
    const box = await chart.boundingBox();
    assert.ok(box);
    const touch = await page.context().newCDPSession(page);
    const finger = async (type: "touchStart" | "touchMove" | "touchEnd", x = 0, y = 0): Promise<void> => {
      await touch.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: type === "touchEnd" ? [] : [{ x, y }],
      });
    };
    const y = box.y + box.height / 2;
    await finger("touchStart", box.x + 60, y);
    for (const step of [1, 2, 3, 4]) await finger("touchMove", box.x + 60, y - step * 30);
    await finger("touchEnd");
    assert.match(page.url(), new RegExp(`from=${firstSec * 1_000}`));
    await page.evaluate("window.scrollTo(0, 0)");
    await chart.scrollIntoViewIfNeeded();
    const again = await chart.boundingBox();
    assert.ok(again);
    const middle = again.y + again.height / 2;
    await finger("touchStart", again.x + 60, middle);
    await page
      .locator(".u-select")
      .first()
      .evaluate(
        "(element) => new Promise((done) => { const look = () => (element.offsetWidth > 0 ? done() : requestAnimationFrame(look)); look(); })",
      );
    for (const step of [1, 2, 3, 4]) await finger("touchMove", again.x + 60 + step * 30, middle);
    await finger("touchEnd");
    await page.waitForURL(/from=2/);
    assert.deepEqual(complaints, []);
  });

  test("let go of what they held: fifty pages later as much memory is in use", {
    skip: NOT_SETTLED,
  }, async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${up.url}/apps/till?${range}`);
    const devtools = await page.context().newCDPSession(page);
    const pages = ["a", "o"];
    const visit = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        await page.locator("canvas").first().waitFor();
        await page.keyboard.press("g");
        await page.keyboard.press(pages[i % 2] ?? "a");
        await page
          .getByRole("link", { name: i % 2 === 0 ? "till" : HOST, exact: true })
          .first()
          .click();
      }
      await page.locator("canvas").first().waitFor();
    };
    const usedBytes = async (): Promise<number> => {
      await devtools.send("HeapProfiler.collectGarbage");
      return (await devtools.send("Runtime.getHeapUsage")).usedSize;
    };
    await visit(10);
    const before = await usedBytes();
    await visit(50);
    const after = await usedBytes();
    assert.ok(after < before + 2_000_000, `${before} bytes before, ${after} after fifty pages`);
    assert.deepEqual(complaints, []);
  });
});

/** The hand-made host sent no snapshot, and its page asks for one. */
function withoutSnapshot(complaints: readonly string[]): string[] {
  const isSnapshot = (complaint: string): boolean => /\/snapshot\?|status of 404/.test(complaint);
  return complaints.filter((complaint) => !isSnapshot(complaint));
}

async function storedSeconds(
  url: string,
  host: string,
): Promise<{ t0: number; cols: { cpuUserRatio: (number | null)[] } }> {
  const [to, from] = [Date.now(), Date.now() - 120_000];
  const answer = await fetch(
    `${url}/api/v1/hosts/${encodeURIComponent(host)}/series?metrics=cpuUserRatio&from=${from}&to=${to}`,
  );
  return (await answer.json()) as { t0: number; cols: { cpuUserRatio: (number | null)[] } };
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
