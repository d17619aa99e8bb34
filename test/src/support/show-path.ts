import type { Page } from "playwright-core";

/** Leads an open page of the console to another address as the browser's own back and forward do, without loading it anew. */
export async function showPath(page: Page, path: string): Promise<void> {
  // Two frames on, what the new page asks for has been asked.
  await page.evaluate(`new Promise((asked) => {
    history.pushState(null, "", ${JSON.stringify(path)});
    dispatchEvent(new PopStateEvent("popstate"));
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(asked, 0)));
  })`);
}
