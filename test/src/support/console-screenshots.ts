/**
 * Makes docs/screenshots/ from the demo: `apm up --demo`, some minutes of its visitors, every page. Needs pngquant.
 *   node test/dist/support/console-screenshots.js [MINUTES | URL of a console with the demo's data]
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchBrowser, openPage } from "./browser.ts";
import { Cleanup } from "./cleanup.ts";
import { CollectorApi } from "./collector-api.ts";
import { eventually } from "./eventually.ts";
import { StateDir, setPassword, startCollector, startUp } from "./system.ts";

const FOLDER = fileURLToPath(new URL("../../../docs/screenshots/", import.meta.url));
const CHECKOUT = fileURLToPath(new URL("../../../", import.meta.url));
const MINUTES = 10;
const MINUTE_MS = 60_000;
const MOST_BYTES = 150_000;
/** Fewer would band the heatmap. */
const COLORS = "96";
/** What is longer is cut there. */
const TALLEST_PX = 1_700;
const SETTLED_MS = 1_500;
/** For a machine that does much else. */
const ANSWER_MS = 120_000;
const APP = "demo-shop";
const ACTION = "GET /search";

const DESKTOP = { viewport: { width: 1_280, height: 800 }, locale: "en-US", colorScheme: "light" } as const;
const PHONE = { ...DESKTOP, viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;

interface Shot {
  name: string;
  path: string;
  options?: BrowserContextOptions;
  /** What to do on the page before. */
  act?: (page: Page) => Promise<void>;
}

async function shotsOf(api: CollectorApi): Promise<Shot[]> {
  const [host] = await api.hosts();
  const [order] = await api.traces(APP, { action: "POST /orders", sort: "slowest" });
  if (!host || !order) throw new Error("the demo has no host or no order yet; give it more minutes");
  const app = `/apps/${APP}`;
  const action = `${app}/actions/${encodeURIComponent(ACTION)}`;
  return [
    { name: "home", path: "/" },
    { name: "app", path: app },
    { name: "app-compared", path: `${app}?from=now-5m&to=now&cmp=prev` },
    { name: "app-live", path: `${app}?from=now-5m&to=now&live=1`, act: () => sleep(20_000) },
    { name: "app-dark", path: app, options: { ...DESKTOP, colorScheme: "dark" } },
    { name: "app-zh", path: app, options: { ...DESKTOP, locale: "zh-CN" } },
    { name: "app-phone", path: app, options: PHONE },
    { name: "actions", path: `${app}/actions` },
    { name: "action", path: action, act: selectSlowest },
    { name: "trace", path: `/traces/${order.traceId}` },
    { name: "databases", path: `${app}/databases` },
    { name: "caches", path: `${app}/caches` },
    { name: "external", path: `${app}/external` },
    { name: "errors", path: `${app}/errors` },
    { name: "hosts", path: "/hosts" },
    { name: "host", path: `/hosts/${encodeURIComponent(host.host)}` },
    { name: "map", path: "/map" },
    { name: "settings", path: "/settings" },
    { name: "ledger", path: `/settings?ledger=app:${APP}` },
  ];
}

/** Drags a rectangle over the upper half of the heatmap. */
async function selectSlowest(page: Page): Promise<void> {
  const plot = page.locator("canvas.latency-plot");
  const box = await plot.boundingBox();
  if (box === null) throw new Error("the heatmap is not there");
  await page.mouse.move(box.x + box.width * 0.6, box.y + 8);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.95, box.y + box.height * 0.4, { steps: 8 });
  await page.mouse.up();
  await page.getByText("What differs", { exact: true }).first().waitFor();
}

async function take(
  browser: Browser,
  url: string,
  { name, path, options = DESKTOP, act }: Shot,
): Promise<void> {
  const { page } = await openPage(browser, options);
  page.setDefaultTimeout(ANSWER_MS);
  await page.goto(url + path);
  await answered(page);
  await act?.(page);
  const heightPx = await page.evaluate<number>("document.documentElement.scrollHeight");
  const { width } = page.viewportSize() ?? DESKTOP.viewport;
  await page.setViewportSize({ width, height: Math.min(heightPx, TALLEST_PX) });
  // Charts are drawn when they come into view.
  await answered(page);
  await sleep(SETTLED_MS);
  await page.evaluate(withoutPaths, CHECKOUT);
  const picture = execFileSync("pngquant", ["--speed", "1", "--strip", COLORS, "-"], {
    input: await page.screenshot(),
    maxBuffer: 16 * 1024 * 1024,
  });
  const file = `${FOLDER}${name}.png`;
  writeFileSync(file, picture);
  await page.context().close();
  console.log(`${file} ${statSync(file).size}`);
  if (picture.length > MOST_BYTES)
    throw new Error(
      `${file} has ${picture.length} bytes, more than ${MOST_BYTES}; take fewer colours or a smaller part`,
    );
}

/** Resolves when no part of the page waits for its code or its data. */
async function answered(page: Page): Promise<void> {
  await page.waitForLoadState("networkidle");
  await page.locator("main > *, form").first().waitFor();
  await page.locator(".skeleton").first().waitFor({ state: "detached" });
}

/** Runs in the page: where this checkout lies is nobody's matter. */
function withoutPaths(checkout: string): void {
  const { document } = globalThis as unknown as { document: PageDocument };
  const texts = document.createTreeWalker(document.body, 4);
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode())
    text.nodeValue = text.nodeValue.replaceAll(`file://${checkout}demo/apps`, "/srv");
}

/** As much of a document as is needed there. */
interface PageDocument {
  body: unknown;
  createTreeWalker(root: unknown, whatToShow: number): { nextNode(): { nodeValue: string } | null };
}

/** The log-in page, of a collector that has a password and no data. */
async function takeLogin(cleanup: Cleanup, browser: Browser): Promise<void> {
  const stateDir = new StateDir(cleanup);
  await setPassword(stateDir);
  const { url } = await startCollector(cleanup, stateDir);
  await take(browser, url, { name: "login", path: "/" });
}

/** The address of a console whose demo has run so long. */
async function startDemo(cleanup: Cleanup, minutes: number): Promise<string> {
  const up = await startUp(cleanup, new StateDir(cleanup), undefined, ["--demo"]);
  await eventually("the demo's shop has visitors", 4 * MINUTE_MS, async () => {
    if ((await up.api.requestCount(APP)) === 0) throw new Error("no request yet");
  });
  await sleep(minutes * MINUTE_MS);
  return up.url;
}

const cleanup = new Cleanup();
try {
  const [wanted = String(MINUTES)] = process.argv.slice(2);
  const isUrl = wanted.startsWith("http");
  const url = isUrl ? wanted.replace(/\/$/, "") : await startDemo(cleanup, Number(wanted));
  const browser = await launchBrowser(cleanup);
  mkdirSync(FOLDER, { recursive: true });
  const api = new CollectorApi(url, Date.now() - MINUTES * 3 * MINUTE_MS);
  const only = process.argv.slice(3);
  for (const shot of await shotsOf(api))
    if (only.length === 0 || only.includes(shot.name)) await take(browser, url, shot);
  if (only.length === 0 || only.includes("login")) await takeLogin(cleanup, browser);
} finally {
  await cleanup.run();
}
