import assert from "node:assert/strict";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { PasswordStore } from "../access/password-store.ts";
import { LiveTab } from "../testing/live-tab.ts";
import { RunningCollector, temporaryFolder } from "../testing/running-collector.ts";
import { SEALED_MS } from "../testing/sample-batch.ts";

const PASSWORD = "correct horse battery staple";
const DAY_MS = 86_400_000;
const LOGIN_ENDED = 4401;

describe("a live connection ends with its log-in", { timeout: 60_000 }, () => {
  const stateDir = temporaryFolder();
  const passwords = new PasswordStore(stateDir);
  let nowMs = SEALED_MS;
  let collector: RunningCollector;

  before(async () => {
    await passwords.set(PASSWORD);
    collector = await RunningCollector.start({ state_dir: stateDir, clock: () => nowMs });
  });
  after(() => collector.end());

  /** A tab that watches, of a browser that just logged in. */
  async function loggedIn(): Promise<{ tab: LiveTab; cookie: string; closed: Promise<unknown[]> }> {
    const answer = await fetch(`${collector.url}/api/v1/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ password: PASSWORD }),
    });
    assert.equal(answer.status, 200);
    const [cookie = ""] = (answer.headers.getSetCookie()[0] ?? "").split(";");
    const tab = await LiveTab.open(collector.url, { host: "web-1" }, { cookie });
    await tab.has("state");
    return { tab, cookie, closed: once(tab.socket, "close") };
  }

  test("a log-out closes the tabs of its session and no others", async () => {
    const [leaving, staying] = [await loggedIn(), await loggedIn()];
    const { cookie } = leaving;
    assert.equal(
      (await fetch(`${collector.url}/api/v1/logout`, { method: "POST", headers: { cookie } })).status,
      200,
    );
    assert.equal((await leaving.closed)[0], LOGIN_ENDED);
    assert.equal(staying.tab.socket.readyState, WebSocket.OPEN);
    await staying.tab.close();
  });

  test("a session that is over closes them: watching alone does not prolong it", async () => {
    const [idle, used] = [await loggedIn(), await loggedIn()];
    nowMs += DAY_MS;
    const { cookie } = used;
    assert.equal((await fetch(`${collector.url}/api/v1/apps`, { headers: { cookie } })).status, 200);
    nowMs += 1;
    assert.equal((await idle.closed)[0], LOGIN_ENDED);
    assert.equal(used.tab.socket.readyState, WebSocket.OPEN);
    await used.tab.close();
  });

  test("another password closes them all, and one that cannot be read too", async () => {
    const tabs = [await loggedIn(), await loggedIn()];
    await passwords.set("another one of that length");
    assert.deepEqual(
      (await Promise.all(tabs.map(({ closed }) => closed))).map(([code]) => code),
      [LOGIN_ENDED, LOGIN_ENDED],
    );
    await passwords.set(PASSWORD);
    const { closed } = await loggedIn();
    fs.writeFileSync(path.join(stateDir, "password.json"), "{}");
    assert.equal((await closed)[0], LOGIN_ENDED);
  });

  test("where nobody logs in, a password that is set later closes what was open before", async () => {
    const free = await RunningCollector.start();
    const tab = await LiveTab.open(free.url, { host: "web-1" });
    await tab.has("state");
    const closed = once(tab.socket, "close");
    await new PasswordStore(free.stateDir).set(PASSWORD);
    assert.equal((await closed)[0], LOGIN_ENDED);
    await free.end();
  });
});
