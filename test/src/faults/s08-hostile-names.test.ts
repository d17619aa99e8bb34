import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { SpanEncoder, slotTypeOf, TraceEntry } from "@apm-daemon/protocol";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../support/browser.ts";
import { Cleanup } from "../support/cleanup.ts";
import { CollectorApi } from "../support/collector-api.ts";
import { eventually } from "../support/eventually.ts";
import { filledBatch, fingerprintOf } from "../support/filled-batch.ts";
import { HostileAgent } from "../support/hostile-agent.ts";
import { skipWithout } from "../support/parts.ts";
import { settledPage } from "../support/settled-page.ts";
import { showPath } from "../support/show-path.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

/** Runs in the browser when any of the names becomes more than text. */
const RUN = "window.__executed=(window.__executed||0)+1";
const CORPUS = [
  `<script>${RUN}</script>`,
  `<img src=x onerror="${RUN}">`,
  `"><svg onload="${RUN}">`,
  `' onmouseover='${RUN}' x='`,
  `javascript:${RUN}`,
  `</title><script>${RUN}</script>`,
  `</script><script>${RUN}</script>`,
  `<iframe srcdoc="<script>parent.${RUN}</script>">`,
  `<a href="javascript:${RUN}">x</a>`,
  `{{constructor.constructor('${RUN}')()}}`,
  `\${${RUN}}`,
  `<style>*{background:url("https://evil.example/x")}</style>`,
  `<form action="https://evil.example"><button>x</button></form>`,
  `<meta http-equiv="refresh" content="0;url=https://evil.example">`,
  "__proto__",
  "constructor",
  "%3Cscript%3E/../#?&",
  "\u202Egnp.exe 应用 🦊",
];
/** An app in which everything has all of these names. */
const ALL = "all-of-them";
const KIND_SERVER = 1;
const KIND_CLIENT = 2;

describe("S8: names are text on every page", { skip: skipWithout("chromium") }, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let api: CollectorApi;
  let browser: Browser;
  const hostName = `host <img src=x onerror="${RUN}">`;

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    const stateDir = new StateDir(cleanup);
    const keyFile = await createKeyFile(collector.stateDir, "s8");
    const toml = `seal_interval_ms = 1000\nhost_name = '${hostName}'\ntraces.keep = "all"\n`;
    await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml });
    for (const [n, name] of CORPUS.entries()) {
      const agent = await HostileAgent.greet(stateDir.agentSocket, {
        app: name,
        runtime: name,
        agentVersion: name,
        appVersion: name,
        containerId: name,
        systemdUnit: name,
      });
      agent.socket.write(hostileFrame(n + 1, name));
    }
    // What no daemon would say, with a key that is right: hosts, calls, errors and ends of such names.
    const key = readFileSync(keyFile, "utf8").trim();
    const uplink = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
    const stream = randomUUID();
    const nowMs = Date.now();
    uplink.sendHello(stream);
    await uplink.waitFor("welcome");
    for (const [n, name] of CORPUS.entries()) {
      const own = { stream, number: 2 * n + 1, nowMs, text: () => name };
      const shared = {
        stream,
        number: 2 * n + 2,
        nowMs,
        text: (place: string) => (place === "app" ? ALL : name),
      };
      for (const filling of [own, shared]) {
        uplink.send(filledBatch(filling));
        await uplink.waitFor("ack");
      }
    }
    for (const name of CORPUS)
      await fetch(`${collector.url}/api/v1/settings/apps/${encodeURIComponent(name)}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: '{"slowActionMs":1}',
      });
    // From before the collector's start: the batches are about the five minutes before they were made.
    api = new CollectorApi(collector.url, nowMs - 600_000);
    await eventually("all apps are in the API under their names", 40_000, async () => {
      const apps = await api.apps();
      const silent = apps.filter(({ requests }) => requests === 0).map(({ app }) => app);
      assert.deepEqual([apps.map(({ app }) => app).sort(), silent], [[...CORPUS, ALL].sort(), []]);
    });
    browser = await launchBrowser(cleanup);
  });
  after(() => cleanup.run());

  /** Ids of the trace of the batch and of the agent's, which the daemon may upload later. */
  async function bothTraces(name: string): Promise<string[]> {
    let traceIds: string[] = [];
    await eventually(`the trace of the agent and that of the batch, of ${name}`, 30_000, async () => {
      const { traces } = await api.get<{ traces: { traceId: string }[] }>(
        `apps/${encodeURIComponent(name)}/traces?kind=all`,
      );
      traceIds = traces.map(({ traceId }) => traceId);
      assert.equal(traceIds.length, 2);
    });
    return traceIds;
  }

  /** Leads to a page, waits until it shows a text and all else, and puts the pointer over everything that could listen. */
  async function look(page: Page, settled: () => Promise<void>, path: string, shown: string): Promise<void> {
    await showPath(page, path);
    await page.getByText(shown, { exact: false }).first().waitFor({ state: "attached" });
    await settled();
    const found = await page.evaluate<{ executed: number; violations: string[]; foreign: string[] }>(`(() => {
      for (const element of document.querySelectorAll("main *"))
        for (const name of ["mouseover", "focus", "error", "load"]) element.dispatchEvent(new Event(name));
      const foreign = [...document.querySelectorAll("[href],[src],[action]")]
        .map((element) => element.href || element.src || element.action)
        .filter((address) => typeof address === "string" && !address.startsWith(location.origin));
      const handlers = [...document.querySelectorAll("main *")]
        .flatMap((element) => [...element.attributes].filter(({ name }) => name.startsWith("on")))
        .map(({ name }) => name);
      return { executed: window.__executed ?? 0, violations: window.__violations, foreign: [...foreign, ...handlers] };
    })()`);
    assert.deepEqual(found, { executed: 0, violations: [], foreign: [] }, path);
    assert.equal(new URL(page.url()).origin, collector.url);
  }

  /** Pages that list, of all names. */
  function listsOf(app: string): string[] {
    const path = `/apps/${encodeURIComponent(app)}`;
    return [
      path,
      `${path}?ledger=app:${app}&cmp=1d`,
      `${path}/actions?kind=all`,
      `${path}/traces`,
      ...["databases", "databases?by=operation", "caches", "external", "errors"].map(
        (page) => `${path}/${page}`,
      ),
    ];
  }

  /** Pages of which each shows one name, of everything: the agent's trace; the others, which are made of the same parts, take turns. */
  function detailsOf(name: string, turn: number, [batchs = "", agents = ""]: readonly string[]): string[] {
    const app = `/apps/${encodeURIComponent(name)}`;
    const now = Date.now();
    const calls = (page: string, ...parts: string[]): string =>
      `${app}/${page}?sel=${encodeURIComponent(JSON.stringify(parts))}`;
    const turns = [
      [app, calls("databases", name, name, name, fingerprintOf(name)), `/hosts/${encodeURIComponent(name)}`],
      [
        `${app}/actions/${encodeURIComponent(name)}?sel=${now - 200_000},${now},500,`,
        `${app}/errors?sel=${fingerprintOf(name)}`,
      ],
      [calls("caches", "redis", name, name, ""), calls("external", "http", name), `/traces/${batchs}`],
    ];
    return [`/traces/${agents}`, ...(turns[turn % turns.length] ?? [])];
  }

  test("nothing of the corpus is executed, loaded or linked, on no page", async () => {
    const context = await browser.newContext({ viewport: { width: 1_440, height: 900 }, locale: "en-US" });
    const asked: string[] = [];
    context.on("request", (request) => {
      if (!request.url().startsWith(collector.url)) asked.push(request.url());
    });
    await context.addInitScript(`
      window.__violations = [];
      addEventListener("securitypolicyviolation", (event) => window.__violations.push(event.violatedDirective + " " + event.blockedURI));
      for (const name of ["alert", "confirm", "prompt"]) window[name] = () => { ${RUN}; };`);
    const page = await context.newPage();
    const dialogs: string[] = [];
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    const settled = settledPage(page);
    // One address with a hostile name is loaded; the others are led to, which costs a tenth.
    await page.goto(`${collector.url}/apps/${encodeURIComponent(CORPUS[0] ?? "")}`);
    await look(page, settled, `/hosts/${encodeURIComponent(hostName)}`, hostName);
    for (const path of ["/", "/apps", "/hosts", "/map", "/map?view=table", "/settings", ...listsOf(ALL)])
      await look(page, settled, path, path === "/hosts" ? hostName : (CORPUS[0] ?? ""));
    for (const [n, name] of CORPUS.entries()) {
      const traceIds = await bothTraces(name);
      for (const path of detailsOf(name, n, traceIds)) {
        await look(page, settled, path, name);
        if (!path.startsWith("/traces/")) continue;
        // The span's attributes, keys and values, and what it says of its exception.
        await page.evaluate(`(async () => {
          for (const row of document.querySelectorAll(".waterfall-row")) {
            row.click();
            await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 0)));
          }
        })()`);
        await page.locator(".attributes").first().waitFor();
        assert.equal(await page.evaluate("window.__executed ?? 0"), 0, `the trace of ${name}`);
      }
    }
    assert.deepEqual([asked, dialogs], [[], []]);
  });
});

/** A request and a call to a database below it, in which every text that a span may have is the name, keys too. */
function hostileFrame(number: number, name: string): Buffer {
  const encoder = new SpanEncoder();
  encoder.begin(Date.now() * 1_000);
  const trace = new TraceEntry(0x5008, number, 1, number, 1, number);
  const add = (id: number, kind: number, attributes: [string, string | number][], isRoot: boolean): void => {
    let shape = encoder.shapes.root(name, kind);
    for (const [key, value] of attributes) {
      const next = shape.follow(key, slotTypeOf(value));
      if (next === null) throw new Error("too many shapes");
      shape = next;
    }
    const extra = {
      statusMessage: name,
      events: [
        {
          name: "exception",
          offsetNs: 1,
          attributes: {
            "exception.type": name,
            "exception.message": name,
            "exception.stacktrace": name,
            [name]: name,
          },
        },
        { name, offsetNs: 2, attributes: { [name]: name } },
      ],
      attributes: { [`extra ${name}`]: [name, name] },
    };
    const result = encoder.add(
      {
        shape,
        values: attributes.map(([, value]) => value),
        name,
        trace,
        idHi: id,
        idLo: number,
        parentHi: isRoot ? 0 : 1,
        parentLo: isRoot ? 0 : number,
        isLocalRoot: isRoot,
        hasRemoteParent: false,
        hasError: true,
        extra,
      },
      0,
      1_000_000,
    );
    if (result !== "added") throw new Error(`the span of "${name}" is ${result}`);
  };
  const database: [string, string | number][] = [
    ["db.system.name", name],
    ["db.operation.name", name],
    ["db.query.text", name],
    ["server.address", name],
    [name, name],
  ];
  add(2, KIND_CLIENT, database, false);
  add(
    1,
    KIND_SERVER,
    [
      ["http.response.status_code", 500],
      ["http.route", name],
      ["url.path", name],
      [name, name],
    ],
    true,
  );
  return Buffer.from(encoder.take(1));
}
