import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { decodeSettings } from "@apm-daemon/protocol";
import type { Browser } from "playwright-core";
import { type RunningApp, startRelay } from "./support/apps.ts";
import { launchBrowser, openPage, takeScreenshot } from "./support/browser.ts";
import { Cleanup } from "./support/cleanup.ts";
import { eventually } from "./support/eventually.ts";
import { HostileAgent } from "./support/hostile-agent.ts";
import { skipWithout } from "./support/parts.ts";
import type { Program } from "./support/program.ts";
import { statusOf } from "./support/status-socket.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "./support/system.ts";
import { UplinkSocket } from "./support/uplink-socket.ts";

const DESKTOP = { viewport: { width: 1_440, height: 900 }, locale: "en-US", colorScheme: "light" } as const;
/** No request takes longer than this host's own T, none is shorter than a 50th of what it is held for. */
const TOML = "seal_interval_ms = 1000\napdex_t_ms = 600000\n";
const HELD_MS = 50;
const WITHIN_MS = 30_000;

interface Fleet {
  daemons: { host: string; stream: string; settings: string; daemonVersion: string; key: string }[];
  agents: { app: string; processes: number }[];
}

describe("the settings page", { skip: skipWithout("chromium") }, () => {
  const cleanup = new Cleanup();
  const stateDir = new StateDir(cleanup);
  let collector: Collector;
  let daemon: Program;
  let keyFile: string;
  let app: RunningApp;
  let browser: Browser;

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "one-host");
    await runDaemon();
    app = await startRelay(cleanup, { by: "--require", socket: stateDir.agentSocket, name: "relay" });
    browser = await launchBrowser(cleanup);
  });
  after(() => cleanup.run());

  async function runDaemon(): Promise<void> {
    daemon = await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml: TOML });
  }

  async function request(count: number): Promise<void> {
    for (let n = 0; n < count; n++) assert.equal((await fetch(`${app.url}/hold/${HELD_MS}`)).status, 200);
  }

  async function put(path: string, body: object): Promise<number> {
    const answer = await fetch(`${collector.url}/api/v1/settings/${path}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return answer.status;
  }

  const zones = (satisfied: number, frustrated: number): Promise<void> =>
    eventually(`${satisfied} satisfied and ${frustrated} frustrated`, WITHIN_MS, async () => {
      const summary = await collector.api.summary("relay");
      assert.deepEqual(
        [summary.satisfied, summary.tolerating, summary.frustrated],
        [satisfied, 0, frustrated],
      );
    });

  const fleet = (): Promise<Fleet> => collector.api.get<Fleet>("fleet");

  test("an Apdex T set in the browser counts for the app's next requests, and is said to be in force", async () => {
    await request(5);
    await zones(5, 0);
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${collector.url}/settings`);
    const relay = page.getByRole("form", { name: "relay" });
    await relay.getByLabel(/Apdex T/).fill("1");
    await relay.getByRole("button", { name: "Save" }).click();
    await eventually("the daemon has it", WITHIN_MS, async () => {
      const { settings, apps } = await statusOf(stateDir);
      assert.equal(apps.find((one) => one.app === "relay")?.apdexTMs, 1);
      assert.equal(settings?.fromCollector.apps[0]?.app, "relay");
    });
    await request(7);
    await zones(5, 7);
    assert.equal((await collector.api.summary("relay")).apdexTMs, 1);
    assert.deepEqual(
      (await fleet()).daemons.map(({ settings, key }) => [settings, key]),
      [["applied", "one-host"]],
    );
    await page.reload();
    await page.getByText("in force", { exact: true }).waitFor();
    assert.equal(await relay.getByLabel(/Apdex T/).inputValue(), "1");
    await takeScreenshot(page, "settings");
    assert.deepEqual(complaints, []);
  });

  test("apm status and apm config show say where it comes from", async () => {
    const status = await runApm(["status", "--state-dir", stateDir.path]);
    assert.match(status.stdout, /Settings from the console.*\n {2}relay: Apdex T 1 ?ms/);
    const shown = await runApm(["config", "show", "daemon"], {
      APM_CONFIG_FILE: `${stateDir.path}/daemon.toml`,
      APM_DAEMON_STATE_DIR: stateDir.path,
    });
    assert.match(shown.stdout, /apps\.relay\.apdex_t_ms +1 +console \(.*collector-settings\.json\)/);
  });

  test("apps that are connected are told how to record, apps that come later too, and never more than the host says", async () => {
    const early = await HostileAgent.greet(stateDir.agentSocket, { app: "early" });
    await eventually("it is welcomed", WITHIN_MS, () =>
      assert.equal(early.socket.messages("welcome").length, 1),
    );
    assert.equal(await put("all", { sql: "off", slowStatementMs: 7 }), 200);
    await eventually("the agent is told", WITHIN_MS, () => {
      const told = early.socket.messages("settings").map(({ payload }) => decodeSettings(payload));
      assert.deepEqual([told.at(-1)?.sql, told.at(-1)?.slowStatementMs], ["off", 7]);
    });
    assert.equal(await put("all", { sql: "raw" }), 400);
    assert.equal(await put("all", {}), 200);
    await eventually("and that it is over", WITHIN_MS, () => {
      const told = early.socket.messages("settings").map(({ payload }) => decodeSettings(payload));
      assert.deepEqual([told.at(-1)?.sql, told.at(-1)?.slowStatementMs], ["obfuscated", 500]);
    });
    early.socket.destroy();
  });

  test("a daemon that starts while its collector is away counts as before", async () => {
    await daemon.stop();
    await collector.program.stop();
    await runDaemon();
    await eventually("the app is back", WITHIN_MS, async () => {
      const { apps } = await statusOf(stateDir);
      assert.equal(apps.find((one) => one.app === "relay")?.apdexTMs, 1);
    });
    await request(3);
    // Asked about the time before, too.
    const { api } = collector;
    collector = { ...(await startCollector(cleanup, collector.stateDir, collector.port)), api };
    await zones(5, 10);
    await eventually("the daemon is connected again", WITHIN_MS, async () => {
      assert.deepEqual(
        (await fleet()).daemons.map(({ settings }) => settings),
        ["applied"],
      );
    });
  });

  test("a daemon of an older release, and a host that takes none, are told nothing and named as such", async () => {
    const key = readFileSync(keyFile, "utf8").trim();
    const old = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
    const stream = randomUUID();
    old.sendHello(stream);
    await old.waitFor("welcome");
    assert.equal(await put("apps/relay", { apdexTMs: 2 }), 200);
    await eventually("the one that knows has it", WITHIN_MS, async () => {
      const { daemons } = await fleet();
      const states = daemons.map((one) => [one.stream === stream, one.settings].join());
      assert.deepEqual(states.sort(), ["false,applied", "true,too_old"]);
    });
    assert.deepEqual(old.received, [], "nothing that it would not understand");
    old.terminate();
    await daemon.stop();
    const toml = `${TOML}settings.from_collector = false\n`;
    daemon = await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml });
    await eventually("it says that it takes none", WITHIN_MS, async () => {
      assert.deepEqual(
        (await fleet()).daemons.map(({ settings }) => settings),
        ["refused"],
      );
    });
    await eventually("and counts by its own", WITHIN_MS, async () => {
      const { apps } = await statusOf(stateDir);
      assert.equal(apps.find((one) => one.app === "relay")?.apdexTMs, 600_000);
    });
  });

  test("a key is shown once, masked ever after, and revoked only when asked twice", async () => {
    const { page, complaints } = await openPage(browser, DESKTOP);
    await page.goto(`${collector.url}/settings`);
    await page.getByLabel("Name of a new key").fill("by hand");
    await page.getByRole("button", { name: "Create key" }).click();
    const key = (await page.locator(".key-once code").textContent()) ?? "";
    assert.match(key, /^apm_[\w-]{43}$/);
    const uplink = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
    uplink.sendHello(randomUUID());
    await uplink.waitFor("welcome");
    await page.getByRole("button", { name: "Done" }).click();
    await page.reload();
    const row = page.getByRole("table", { name: "License keys" }).getByRole("row", { name: /by hand/ });
    await row.getByText(`apm_••••${key.slice(-4)}`).waitFor();
    assert.ok(!(await page.content()).includes(key));
    await row.getByRole("button", { name: /^Revoke/ }).click();
    await row.getByRole("button", { name: "Cancel" }).click();
    assert.equal(uplink.isOpen, true);
    await row.getByRole("button", { name: /^Revoke/ }).click();
    await row.getByRole("button", { name: "Yes, revoke it" }).click();
    await row.waitFor({ state: "detached" });
    await eventually("its uplink is cut", WITHIN_MS, () => assert.equal(uplink.isOpen, false));
    assert.deepEqual(complaints, []);
  });

  test("what cannot be set is refused with the field's name, and changes nothing", async () => {
    const before = await collector.api.get("settings");
    for (const [path, body] of [
      ["all", { apdexTMs: 0 }],
      ["all", { apdexTMs: 1.5 }],
      ["all", { apdexTMs: "500" }],
      ["all", { apdex: 5 }],
      ["apps/relay", { sql: "off" }],
      ["apps/relay", { slowActionMs: 600_001 }],
      [`apps/${"x".repeat(5_000)}`, {}],
    ] as const)
      assert.equal(await put(path, body), 400, `${path.slice(0, 20)} ${JSON.stringify(body)}`);
    assert.deepEqual(await collector.api.get("settings"), before);
    const call = (method: string, path: string, body?: object): Promise<Response> =>
      fetch(`${collector.url}/api/v1/${path}`, {
        method,
        headers: { "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    assert.equal((await call("POST", "keys", { name: "../x\n" })).status, 400);
    assert.equal((await call("POST", "keys", { name: "one-host" })).status, 409);
    assert.equal((await call("DELETE", "keys/nobody")).status, 404);
    assert.equal((await call("PUT", "settings", {})).status, 405);
    const foreign = {
      method: "PUT",
      headers: { "content-type": "application/json", origin: "http://evil.example" },
    };
    assert.equal(
      (await fetch(`${collector.url}/api/v1/settings/all`, { ...foreign, body: "{}" })).status,
      403,
    );
  });

  test("fits a phone, a dark room and Chinese", async () => {
    const { page } = await openPage(browser, {
      viewport: { width: 390, height: 844 },
      locale: "zh-CN",
      colorScheme: "dark",
    });
    await page.goto(`${collector.url}/settings`);
    await page.getByRole("form", { name: "relay" }).waitFor();
    await takeScreenshot(page, "settings-phone");
    const [scrollPx, widthPx] = await page.evaluate<[number, number]>(
      "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
    );
    assert.equal(scrollPx, widthPx);
  });
});
