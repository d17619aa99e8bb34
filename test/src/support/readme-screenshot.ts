/**
 * Makes docs/screenshot.png from a real run: `apm up`, both test apps with their databases, some minutes of load.
 *   node test/dist/support/readme-screenshot.js [MINUTES]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startShop, startStock } from "./apps.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { Cleanup } from "./cleanup.ts";
import { startDatabases } from "./databases.ts";
import { type PlannedRequest, sendAll } from "./load-generator.ts";
import { StateDir, startUp } from "./system.ts";
import { plan5000 } from "./traffic.ts";

const OUTPUT = fileURLToPath(new URL("../../../docs/screenshot.png", import.meta.url));
const SECOND_MS = 1_000;

async function makeScreenshot(cleanup: Cleanup, minutes: number): Promise<void> {
  const stateDir = new StateDir(cleanup);
  const up = await startUp(cleanup, stateDir);
  const databases = await startDatabases(cleanup);
  const agent = { by: "--import", socket: stateDir.agentSocket } as const;
  const stock = await startStock(cleanup, { agent, databases });
  const shop = await startShop(cleanup, { agent, databases, stockUrl: stock.url });
  const { all } = plan5000(shop.url, stock.url);
  for (let second = 0; second < minutes * 60; second++) {
    await Promise.all([sendAll(slice(all, second), 8), sleep(SECOND_MS)]);
  }
  const browser = await launchBrowser(cleanup);
  const { page } = await openPage(browser, {
    viewport: { width: 1_440, height: 1_000 },
    deviceScaleFactor: 2,
    locale: "en-US",
    colorScheme: "light",
  });
  await page.goto(`${up.url}/apps/shop?from=now-${minutes}m&to=now`);
  await page.locator("canvas").first().waitFor();
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: OUTPUT });
  console.log(`wrote ${OUTPUT}`);
}

/** Requests of one second: 20 to 60, rising and falling like visitors do. */
function slice(all: PlannedRequest[], second: number): PlannedRequest[] {
  const count = Math.round(40 + 20 * Math.sin(second / 25));
  return Array.from({ length: count }, (_, n) => all[(second * 60 + n) % all.length] as PlannedRequest);
}

const cleanup = new Cleanup();
try {
  await makeScreenshot(cleanup, Number(process.argv[2] ?? 5));
} finally {
  await cleanup.run();
}
