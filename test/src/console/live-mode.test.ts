import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { type RunningApp, startSteady } from "../support/apps.ts";
import { launchBrowser, openPage, takeScreenshot } from "../support/browser.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { skipWithout } from "../support/parts.ts";
import { settledPage } from "../support/settled-page.ts";
import { type Collector, createKeyFile, StateDir, startUp } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";
import { HOST, tillBatch } from "../support/till-batch.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

const DESKTOP = { viewport: { width: 1_440, height: 900 }, locale: "en-US", colorScheme: "light" } as const;

describe("live mode of the console in a browser", { skip: skipWithout("chromium") }, () => {
  const cleanup = new Cleanup();
  let up: Collector;
  let browser: Browser;
  let steady: RunningApp;
  /** The host of the daemon, beside the one of the old daemon. */
  let host = "";

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
    uplink.send(tillBatch(stream, Math.floor(Date.now() / 10_000) * 10 - 610));
    await uplink.waitFor("ack");
    browser = await launchBrowser(cleanup);
    await eventually("the own host is stored", 40_000, async () => {
      host = (await up.api.hosts()).find((one) => one.host !== HOST)?.host ?? "";
      assert.notEqual(host, "");
      // The page of a host that has sent no snapshot yet says so, and the browser complains of a 404.
      const { status } = await fetch(`${up.url}/api/v1/hosts/${encodeURIComponent(host)}/snapshot`);
      assert.equal(status, 200);
    });
  });
  after(() => cleanup.run());

  test("a host's charts go on by the second, pushed or polled, before any batch has them", async () => {
    for (const isBlocked of [false, true]) {
      const { page, complaints } = await openPage(browser, DESKTOP);
      if (isBlocked) await page.routeWebSocket(/\/api\/v1\/live/, (socket) => socket.close());
      await page.goto(`${up.url}/hosts/${encodeURIComponent(host)}?table=cpu`);
      await page.locator("canvas").first().waitFor();
      await page.keyboard.press("l");
      await page.waitForURL(/live=1/);
      const newest = page.getByRole("region", { name: "CPU" }).locator("tbody tr").first();
      const seen = new Set<string>();
      let beforeStored = 0;
      await eventually("the newest second is newer than any stored one, three times", 45_000, async () => {
        const shown = await newest.locator("td").first().innerText();
        const { cols, t0 } = await storedSeconds(up.url, host);
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

  test("an app's go on by the second too, and an older daemon is named", async () => {
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

  test("while the pointer reads a chart nothing is fetched; what is due comes as soon as it leaves", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    const seen = { asked: 0, stored: 0 };
    page.on("request", (request) => {
      if (/\/series\?/.test(request.url())) seen.asked++;
    });
    page.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) => {
        if (payload.includes('"type":"stored"')) seen.stored++;
      }),
    );
    const settled = settledPage(page);
    await page.goto(`${up.url}/hosts/${encodeURIComponent(host)}?from=now-5m&to=now&live=1`);
    await eventually("a window that is stored is fetched", 60_000, () => {
      assert.ok(seen.asked > 1 && seen.stored > 0, JSON.stringify(seen));
    });
    const box = await page.locator("figure.chart .u-over").first().boundingBox();
    assert.ok(box);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(x, y);
    await settled();
    const held = { ...seen };
    await eventually("three more windows are stored", 120_000, async () => {
      // A pointer that rests for a minute was left there.
      await page.mouse.move(x + (Math.round(performance.now()) % 9), y);
      assert.ok(seen.stored >= held.stored + 3, JSON.stringify(seen));
    });
    // Else it would have been asked for each of them. One call may have been on its way, or the page set its clock right.
    assert.ok(seen.asked <= held.asked + 1, `${JSON.stringify(held)}, then ${JSON.stringify(seen)}`);
    const fetched = page.waitForRequest(/\/series\?/);
    await page.mouse.move(1, 1);
    await fetched;
    assert.deepEqual(complaints, []);
  });
});

/** The hand-made host sent no snapshot, and its page asks for one. */
function withoutSnapshot(complaints: readonly string[]): string[] {
  return complaints.filter((complaint) => !/\/snapshot\?|status of 404/.test(complaint));
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
