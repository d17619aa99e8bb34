import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Cleanup } from "./cleanup.ts";
import { findProgram } from "./parts.ts";

/** Where tests leave their pictures for people to look at; not in git. */
const SCREENSHOT_FOLDER = fileURLToPath(new URL("../../screenshots-out/", import.meta.url));

/** The system's Chromium. As root it runs without its sandbox: it only opens pages of our own. */
export async function launchBrowser(cleanup: Cleanup): Promise<Browser> {
  const executablePath = findProgram("chromium");
  if (executablePath === null) throw new Error("chromium is not installed");
  const quiet = [
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", ...quiet],
  });
  cleanup.add(() => browser.close());
  return browser;
}

/** A page, and every complaint of the browser about it: uncaught errors, console errors, failed requests. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions,
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} for ${response.url()}`);
  });
  return { page, complaints };
}

/** A picture of the whole page: as tall as its content, since the console draws a chart only when it comes into view. */
export async function takeScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOT_FOLDER, { recursive: true });
  const viewport = page.viewportSize();
  const heightPx = await page.evaluate<number>("document.documentElement.scrollHeight");
  if (viewport !== null) await page.setViewportSize({ width: viewport.width, height: heightPx });
  await page.waitForLoadState("networkidle");
  await page.evaluate("new Promise((drawn) => requestIdleCallback(drawn, { timeout: 2000 }))");
  await page.screenshot({ path: join(SCREENSHOT_FOLDER, `${name}.png`), fullPage: true });
  if (viewport !== null) await page.setViewportSize(viewport);
}
