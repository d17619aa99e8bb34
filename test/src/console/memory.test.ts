import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { launchBrowser, openPage } from "../support/browser.ts";
import { Cleanup } from "../support/cleanup.ts";
import { filledBatch, fingerprintOf } from "../support/filled-batch.ts";
import { skipWithout } from "../support/parts.ts";
import { settledPage } from "../support/settled-page.ts";
import { ACTION, slowStory } from "../support/slow-story.ts";
import { type Collector, createKeyFile, StateDir, startCollector } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

const DESKTOP = { viewport: { width: 1_440, height: 900 }, locale: "en-US", timezoneId: "UTC" } as const;
const REFRESHES = 8;

/** The filled batch names everything after its place, but for what the story is about. */
const text = (place: string): string => (place === "app" ? "shop" : place);

/** Every page that fetches anew while it is looked at. */
function paths(): string[] {
  const sel = (...parts: string[]): string => `sel=${encodeURIComponent(JSON.stringify(parts))}`;
  const statement = fingerprintOf("statement");
  return [
    "/?",
    "/apps?",
    "/apps/shop?cmp=prev&",
    "/apps/shop/actions?",
    `/apps/shop/actions/${encodeURIComponent(ACTION)}?`,
    "/apps/shop/traces?",
    "/apps/shop/databases?",
    `/apps/shop/databases?${sel("part", "database", "operation", statement)}&`,
    "/apps/shop/caches?",
    "/apps/shop/external?",
    "/apps/shop/errors?",
    `/apps/shop/errors?sel=${fingerprintOf("error")}&`,
    "/hosts?",
    "/hosts/web-2?",
    "/hosts/web-2?live=1&",
    "/map?",
  ].map((path) => `${path}from=now-1h&to=now`);
}

/** Remembers what leaves the document from now on, without keeping it. */
const WATCH = `
  window.gone = [];
  new MutationObserver((records) => {
    for (const { removedNodes } of records) for (const node of removedNodes) gone.push(new WeakRef(node));
  }).observe(document, { childList: true, subtree: true });
`;

describe("a page that is open for hours", { skip: skipWithout("chromium") }, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let browser: Browser;

  before(async () => {
    await takeTurn(cleanup);
    const stateDir = new StateDir(cleanup);
    collector = await startCollector(cleanup, stateDir);
    const key = readFileSync(await createKeyFile(stateDir, "hosts"), "utf8").trim();
    const uplink = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
    const stream = randomUUID();
    uplink.sendHello(stream);
    await uplink.waitFor("welcome");
    const { batches, toMs } = slowStory(Date.now());
    for (const batch of [filledBatch({ stream, number: 1, nowMs: toMs, text }), ...batches]) {
      uplink.send(batch);
      await uplink.waitFor("ack");
    }
    browser = await launchBrowser(cleanup);
  });
  after(() => cleanup.run());

  // Each old state of a page can lead to the next one: one that is kept by mistake keeps all that follow.
  test("keeps nothing of what it showed before", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    const devTools = await page.context().newCDPSession(page);
    const settled = settledPage(page);
    const grew: string[] = [];
    for (const path of paths()) {
      await page.goto(collector.url + path);
      await settled();
      await page.evaluate(WATCH);
      for (let i = 0; i < REFRESHES; i++) {
        // What a tab hears when it is looked at again: it fetches the newest.
        await page.evaluate(`document.dispatchEvent(new Event("visibilitychange"))`);
        await settled();
      }
      await devTools.send("HeapProfiler.collectGarbage");
      const [gone, kept] = await page.evaluate<[number, number]>(
        `[gone.length, gone.filter((one) => one.deref() !== undefined).length]`,
      );
      assert.ok(gone >= REFRESHES, `${path}: only ${gone} nodes were replaced`);
      if (kept > gone / 2) grew.push(`${path}: of ${gone} nodes that are gone ${kept} are kept`);
    }
    assert.deepEqual(grew, []);
    assert.deepEqual(complaints, []);
  });
});
