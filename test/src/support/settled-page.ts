import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";

const DEADLINE_MS = 60_000;
const POLL_MS = 40;
/** Looks without anything under way until a page counts as settled: what one answer leads to is asked for in between. */
const QUIET_LOOKS = 2;

/** Counts a page's requests from now on; the answer waits until all have ended and nothing is left to be drawn. */
export function settledPage(page: Page): () => Promise<void> {
  const open = new Set<object>();
  page.on("request", (request) => open.add(request));
  page.on("requestfinished", (request) => open.delete(request));
  page.on("requestfailed", (request) => open.delete(request));
  return async () => {
    const giveUpAt = performance.now() + DEADLINE_MS;
    for (let quiet = 0; quiet < QUIET_LOOKS; await sleep(POLL_MS)) {
      const isDrawn = await page.evaluate<boolean>(
        `document.querySelector("main h1") !== null && document.querySelector(".skeleton") === null`,
      );
      quiet = isDrawn && open.size === 0 ? quiet + 1 : 0;
      if (performance.now() >= giveUpAt)
        throw new Error(
          `${page.url()} is not drawn: ${isDrawn ? `${open.size} requests are open` : "parts wait"}`,
        );
    }
  };
}
