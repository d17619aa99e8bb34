import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { launchBrowser, openPage } from "../support/browser.ts";
import { Cleanup } from "../support/cleanup.ts";
import { filledBatch, fingerprintOf } from "../support/filled-batch.ts";
import type { FilledPlace } from "../support/filled-parts.ts";
import { skipWithout } from "../support/parts.ts";
import { settledPage } from "../support/settled-page.ts";
import { showPath } from "../support/show-path.ts";
import { ACTION, type SlowStory, slowStory } from "../support/slow-story.ts";
import { type Collector, createKeyFile, StateDir, setPassword, startCollector } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

const DESKTOP = { viewport: { width: 1_440, height: 900 }, locale: "en-US", timezoneId: "UTC" } as const;
const PHONE = { ...DESKTOP, viewport: { width: 390, height: 844 }, hasTouch: true } as const;
type Scheme = "light" | "dark";
const COLOUR_RULES = ["color-contrast", "link-in-text-block"];
const GRAVE = ["serious", "critical"];

const TEXTS: Partial<Record<FilledPlace, string>> = {
  host: "desk-1",
  app: "checkout",
  action: "POST /pay",
  statement: "select price from items where id = ?",
  database: "db:5432",
  cache: "cache:6379",
  service: "bank.example",
  operation: "SELECT items",
  command: "GET",
  error: "PaymentRefused",
};
const text = (place: FilledPlace): string => TEXTS[place] ?? place;

/** Every page, each with what may be opened on it. */
function paths({ longTraceId, fromMs, toMs }: SlowStory): string[] {
  const [app, range] = ["/apps/checkout", `from=${fromMs}&to=${toMs}`];
  const action = `/apps/shop/actions/${encodeURIComponent(ACTION)}?${range}`;
  const sel = (...parts: string[]): string => `sel=${encodeURIComponent(JSON.stringify(parts))}`;
  const statement = fingerprintOf(text("statement"));
  return [
    "/",
    "/apps",
    app,
    `${app}?table=split&cmp=prev`,
    `${app}?ledger=app:checkout`,
    `${app}/actions`,
    `${action}&sel=${toMs - 300_000},${toMs - 240_000},500,`,
    `${action}&view=traces`,
    `${app}/traces`,
    `/traces/${longTraceId}`,
    `${app}/databases?cmp=prev`,
    `${app}/databases?${sel(text("part"), text("database"), text("operation"), statement)}`,
    `${app}/caches`,
    `${app}/external`,
    `${app}/errors?cmp=prev`,
    `${app}/errors?sel=${fingerprintOf(text("error"))}`,
    "/hosts",
    "/hosts/desk-1",
    "/hosts/web-2?live=1",
    "/map",
    "/map?view=table",
    "/settings",
    "/no/such/page",
  ];
}

interface Finding {
  impact?: string | null;
  id: string;
  help: string;
  nodes: { html: string; failureSummary?: string }[];
}

describe("what the console shows can be read, heard and operated by everybody", {
  skip: skipWithout("chromium"),
}, () => {
  const cleanup = new Cleanup();
  const stateDir = new StateDir(cleanup);
  const story = slowStory(Date.now());
  let collector: Collector;
  let browser: Browser;

  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, stateDir);
    const key = readFileSync(await createKeyFile(stateDir, "hosts"), "utf8").trim();
    const uplink = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
    const stream = randomUUID();
    uplink.sendHello(stream);
    await uplink.waitFor("welcome");
    const own = filledBatch({ stream, number: 1, nowMs: story.toMs, text });
    for (const batch of [own, ...story.batches]) {
      uplink.send(batch);
      await uplink.waitFor("ack");
    }
    browser = await launchBrowser(cleanup);
  });
  after(() => cleanup.run());

  /** The grave findings of axe-core on the page as it is, each with its first places. */
  async function findings(page: Page, schemes: readonly Scheme[]): Promise<string[]> {
    const found: string[] = [];
    for (const [n, colorScheme] of schemes.entries()) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.evaluate(
        "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))",
      );
      // By the debugger: the page's own rules let no foreign script in.
      await page.evaluate(`if (!window.axe) { ${axe.source} }`);
      // Another scheme changes colours and nothing else.
      const options = { resultTypes: ["violations"], ...(n > 0 && { runOnly: COLOUR_RULES }) };
      const violations = await page.evaluate<Finding[]>(
        `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations)`,
      );
      for (const { impact, id, help, nodes } of violations) {
        if (!GRAVE.includes(impact ?? "")) continue;
        const places = nodes.slice(0, 4).map(({ html, failureSummary }) => `${html}\n    ${failureSummary}`);
        found.push(
          `${page.url()} in ${colorScheme}: ${id} (${help}), ${nodes.length} times\n  ${places.join("\n  ")}`,
        );
      }
    }
    return found;
  }

  /** Of several pages, which are led to from the first. */
  async function findingsOf(
    page: Page,
    shown: readonly string[],
    schemes: readonly Scheme[],
  ): Promise<string[]> {
    const settled = settledPage(page);
    const found: string[] = [];
    await page.goto(collector.url);
    for (const path of shown) {
      await showPath(page, path);
      await settled();
      found.push(...(await findings(page, schemes)));
    }
    return found;
  }

  test("every page, in light and dark", async () => {
    const { page } = await openPage(browser, DESKTOP);
    noneOf(await findingsOf(page, paths(story), ["light", "dark"]));
  });

  test("pages whose tables become cards on a phone, and its navigation", async () => {
    const { page } = await openPage(browser, PHONE);
    noneOf(await findingsOf(page, ["/", "/apps/checkout/actions", "/hosts/desk-1", "/settings"], ["dark"]));
  });

  test("the shortcuts, and the log-in with its complaint", async () => {
    const { page } = await openPage(browser, DESKTOP);
    const settled = settledPage(page);
    await page.goto(collector.url);
    await settled();
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    const found = await findings(page, ["light", "dark"]);
    await setPassword(stateDir);
    await page.goto(collector.url);
    await page.getByLabel("Password", { exact: true }).fill("not the password");
    await page.keyboard.press("Enter");
    await page.getByText("The password is wrong.").waitFor();
    found.push(...(await findings(page, ["light", "dark"])));
    noneOf(found);
  });
});

function noneOf(found: readonly string[]): void {
  assert.ok(found.length === 0, found.join("\n"));
}
