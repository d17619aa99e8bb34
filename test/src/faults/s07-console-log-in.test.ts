import assert from "node:assert/strict";
import { randomBytes, scryptSync } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { documentedCalls, pathOf } from "../support/documented-calls.ts";
import { freePort } from "../support/free-port.ts";
import {
  type Collector,
  createKeyFile,
  createToken,
  PASSWORD,
  runApm,
  StateDir,
  setPassword,
  startCollector,
} from "../support/system.ts";

const LEDGER = "ledger?stream=00000000-0000-4000-8000-000000000000";
/** Open to everybody. */
const DOORS = ["/api/v1/session", "/api/v1/login", "/api/v1/logout"];

interface Reply {
  status: number;
  headers: Headers;
  text: string;
  code: string | undefined;
}

async function ask(url: string, init: RequestInit = {}): Promise<Reply> {
  const answer = await fetch(url, { redirect: "manual", ...init });
  const text = await answer.text();
  let code: string | undefined;
  try {
    code = (JSON.parse(text) as { error?: { code?: string } }).error?.code;
  } catch {
    code = undefined;
  }
  return { status: answer.status, headers: answer.headers, text, code };
}

function logIn(url: string, password: string, headers: Record<string, string> = {}): Promise<Reply> {
  return ask(`${url}/api/v1/login`, {
    method: "POST",
    body: JSON.stringify({ password }),
    headers: { "content-type": "application/json", ...headers },
  });
}

/** "name=value" of the cookie that a reply sets. */
function cookieOf(reply: Reply): string {
  const [cookie] = reply.headers.getSetCookie();
  assert.ok(cookie, `no cookie came: ${reply.status} ${reply.text}`);
  return cookie.split(";", 1)[0] ?? "";
}

describe("S7: nobody uses the console without its password", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  const api = (call: string): string => `${collector.url}/api/v1/${call}`;

  before(async () => {
    const stateDir = new StateDir(cleanup);
    await setPassword(stateDir);
    collector = await startCollector(cleanup, stateDir);
  });
  after(() => cleanup.run());

  test("an address that others reach is refused without a password, with the command that sets one", async () => {
    const stateDir = new StateDir(cleanup);
    const port = await freePort();
    for (const host of ["0.0.0.0", "no-such-host.invalid"]) {
      const refused = await runApm([
        "collector",
        "--state-dir",
        stateDir.path,
        "--listen",
        `${host}:${port}`,
      ]);
      assert.deepEqual([refused.code, refused.signal], [2, null], refused.output);
      assert.match(refused.stderr, /no password yet: set one with "apm password --state-dir /, host);
    }
    const up = await runApm(["up", "--state-dir", stateDir.path, "--listen", `0.0.0.0:${port}`]);
    assert.equal(up.code, 2, up.output);
    assert.match(up.stderr, /apm password/);
    const open = await startCollector(cleanup, stateDir, port, { address: "0.0.0.0" });
    assert.equal((await ask(`http://127.0.0.1:${port}/api/v1/apps`)).status, 401);
    // A password that is taken away opens nothing.
    await runApm(["password", "--remove", "--state-dir", stateDir.path]);
    assert.equal((await ask(`http://127.0.0.1:${port}/api/v1/apps`)).status, 401);
    assert.equal((await logIn(`http://127.0.0.1:${port}`, PASSWORD)).code, "NO_PASSWORD");
    await open.program.stop();
  });

  test("on this machine alone, and without a password, nobody logs in", async () => {
    const free = await startCollector(cleanup, new StateDir(cleanup));
    assert.equal((await ask(`${free.url}/api/v1/apps`)).status, 200);
    assert.doesNotMatch((await ask(free.url)).text, /data-login/);
    // One that is set later holds at once.
    await setPassword(free.stateDir);
    assert.equal((await ask(`${free.url}/api/v1/apps`)).status, 401);
    await free.program.stop();
  });

  test("the password is kept as scrypt's hash, for its owner's eyes, and never said", async () => {
    const file = join(collector.stateDir.path, "password.json");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const stored = JSON.parse(readFileSync(file, "utf8")) as { scrypt: unknown };
    assert.deepEqual(stored.scrypt, { N: 32_768, r: 8, p: 3 });
    const reply = await logIn(collector.url, PASSWORD);
    const token = cookieOf(reply).split("=")[1] ?? "";
    assert.ok(token.length >= 43);
    for (const name of ["password.json", "sessions.json"]) {
      const text = readFileSync(join(collector.stateDir.path, name), "utf8");
      assert.ok(!text.includes(PASSWORD) && !text.includes(token), name);
      assert.equal(statSync(join(collector.stateDir.path, name)).mode & 0o777, 0o600);
    }
    assert.ok(!collector.program.output.includes(PASSWORD) && !collector.program.output.includes(token));
    for (const [password, sentence] of [
      ["short", /at least 12 characters/],
      ["", /no password came/],
    ] as const) {
      const refused = await runApm(
        ["password", "--state-dir", collector.stateDir.path],
        {},
        { input: `${password}\n` },
      );
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, sentence);
    }
  });

  test("before a log-in nothing is told, whatever is sent as a session", async () => {
    const forged: Record<string, string>[] = [
      {},
      { cookie: "apm_session=" },
      { cookie: `apm_session=${"A".repeat(43)}` },
      { cookie: "apm_session=__proto__; __Host-apm_session=constructor" },
      { authorization: "Bearer null" },
      { authorization: `Basic ${Buffer.from(`apm:${PASSWORD}`).toString("base64")}` },
      { "x-forwarded-for": "127.0.0.1", "x-forwarded-user": "admin", "x-original-url": "/api/v1/session" },
    ];
    for (const headers of forged) {
      const nothing = { method: "GET", path: "/api/v1/nothing", query: {} };
      for (const call of [nothing, ...documentedCalls().filter(({ path }) => !DOORS.includes(path))]) {
        const reply = await ask(collector.url + pathOf(call), {
          method: call.method,
          headers: { "content-type": "application/json", ...headers },
          ...(call.method !== "GET" && { body: "{}" }),
        });
        assert.deepEqual(
          [reply.status, reply.code],
          [401, "LOGIN_REQUIRED"],
          `${call.method} ${call.path} ${JSON.stringify(headers)}`,
        );
      }
    }
    for (const way of [
      "/api/v1/./apps",
      "/api//v1/apps",
      "/API/v1/apps",
      "/api/v1/apps/",
      "//api/v1/apps",
      "/api/v1%2fapps",
    ]) {
      const { status, text } = await ask(`${collector.url}${way}`);
      assert.ok(status !== 200 || text.startsWith("<!doctype html>"), `${way}: ${status} ${text}`);
    }
    const health = await ask(`${collector.url}/healthz`);
    assert.deepEqual([health.status, health.text.includes("version")], [200, false]);
    assert.match((await ask(collector.url)).text, /<html data-login="needed"/);
  });

  test("a session's cookie is out of reach for scripts and other sites, and by https for http too", async () => {
    const [plain] = (await logIn(collector.url, PASSWORD)).headers.getSetCookie();
    assert.match(plain ?? "", /^apm_session=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/);
    const origin = collector.url.replace("http:", "https:");
    const byHttps: Record<string, string>[] = [{ origin }, { "x-forwarded-proto": "https" }];
    for (const headers of byHttps) {
      const [secure] = (await logIn(collector.url, PASSWORD, headers)).headers.getSetCookie();
      assert.match(
        secure ?? "",
        /^__Host-apm_session=[\w-]{43}; .*Path=\/; HttpOnly; Secure; SameSite=Strict$/,
      );
      assert.doesNotMatch(secure ?? "", /domain/i);
    }
  });

  test("a session that was there before the log-in is none after it", async () => {
    const planted = `apm_session=${"B".repeat(43)}`;
    const first = await logIn(collector.url, PASSWORD, { cookie: planted });
    const session = cookieOf(first);
    assert.notEqual(session, planted);
    assert.equal((await ask(api("apps"), { headers: { cookie: planted } })).status, 401);
    assert.equal((await ask(api("apps"), { headers: { cookie: session } })).status, 200);
    const again = cookieOf(await logIn(collector.url, PASSWORD, { cookie: session }));
    assert.notEqual(again, session);
    assert.equal((await ask(api("apps"), { headers: { cookie: session } })).status, 401);
    assert.equal((await ask(api("apps"), { headers: { cookie: again } })).status, 200);
    assert.match((await ask(collector.url, { headers: { cookie: again } })).text, /<html data-login="in"/);
  });

  test("a log-out, and a new password, end sessions for good", async () => {
    const session = cookieOf(await logIn(collector.url, PASSWORD));
    const headers = { cookie: session };
    const out = await ask(api("logout"), { method: "POST", headers });
    assert.equal(out.status, 200);
    assert.match(out.headers.getSetCookie()[0] ?? "", /^apm_session=; Max-Age=0;/);
    assert.equal((await ask(api("apps"), { headers })).status, 401);
    const another = { cookie: cookieOf(await logIn(collector.url, PASSWORD)) };
    assert.equal((await ask(api("apps"), { headers: another })).status, 200);
    await setPassword(collector.stateDir, "a password of another day");
    assert.equal((await ask(api("apps"), { headers: another })).status, 401);
    assert.equal((await logIn(collector.url, PASSWORD)).code, "WRONG_PASSWORD");
    await setPassword(collector.stateDir);
    assert.equal((await ask(api("apps"), { headers: another })).status, 401, "old sessions do not come back");
  });

  test("a page of another site can neither log in, nor out, nor do anything", async () => {
    const session = cookieOf(await logIn(collector.url, PASSWORD));
    const form = { method: "POST", body: `password=${PASSWORD}` };
    const urlencoded = { "content-type": "application/x-www-form-urlencoded" };
    const foreign: Record<string, string>[] = [
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: collector.url.replace("127.0.0.1", "127.0.0.2") },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site", origin: collector.url },
    ];
    for (const headers of foreign) {
      for (const call of ["login", "logout", "traces/0af7651916cd43dd8448eb211c80319c/fetch"]) {
        const reply = await ask(api(call), {
          ...form,
          headers: { ...urlencoded, ...headers, cookie: session },
        });
        assert.deepEqual(
          [reply.status, reply.code],
          [403, "CROSS_SITE"],
          `${call} ${JSON.stringify(headers)}`,
        );
      }
    }
    // Who says nothing of where it comes from must send what no form can.
    for (const type of [
      "application/x-www-form-urlencoded",
      "text/plain",
      "multipart/form-data; boundary=x",
    ]) {
      const reply = await ask(api("login"), { ...form, headers: { "content-type": type } });
      assert.deepEqual([reply.status, reply.code], [415, "NOT_JSON"], type);
    }
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const { status } = await ask(api("login"), { method });
      assert.equal(status, 405, method);
    }
    assert.equal((await ask(api("login"))).status, 405);
    assert.equal((await ask(api("apps"), { headers: { cookie: session } })).status, 200, "still logged in");
    const { headers } = await ask(api("apps"), {
      headers: { cookie: session, origin: "http://evil.example" },
    });
    assert.equal(headers.get("access-control-allow-origin"), null);
    assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
    assert.match(headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
  });

  test("bodies that are no log-in get an answer that says why", async () => {
    const post = (body: string, more: Record<string, string> = {}): Promise<Reply> =>
      ask(api("login"), { method: "POST", body, headers: { "content-type": "application/json", ...more } });
    for (const body of [
      "",
      "{",
      "null",
      "[]",
      '"x"',
      '{"password":1}',
      '{"password":""}',
      '{"password":["x"]}',
      '{"password":"x","admin":true}',
      '{"__proto__":{"password":"x"}}',
      JSON.stringify({ password: "x".repeat(2_000) }),
    ]) {
      const reply = await post(body);
      assert.deepEqual([reply.status, reply.code], [400, "BAD_BODY"], body.slice(0, 40));
    }
    assert.equal((await post(JSON.stringify({ password: "x".repeat(100_000) }))).code, "BODY_TOO_LARGE");
  });

  test("an API token reads and does nothing else; a license key is told of its own daemon alone", async () => {
    const token = await createToken(collector.stateDir, "script");
    const key = readFileSync(await createKeyFile(collector.stateDir, "some-host"), "utf8").trim();
    const as = (bearer: string, init: RequestInit = {}): RequestInit => ({
      ...init,
      headers: { authorization: `Bearer ${bearer}` },
    });
    assert.equal((await ask(api("apps"), as(token))).status, 200);
    assert.equal(
      (await ask(api("traces/0af7651916cd43dd8448eb211c80319c/fetch"), as(token, { method: "POST" }))).status,
      404,
    );
    assert.equal((await ask(api("server"), as(key))).status, 200);
    assert.equal((await ask(api(LEDGER), as(key))).status, 404);
    for (const call of ["apps", "hosts", "apps/shop/summary", "traces/0af7651916cd43dd8448eb211c80319c"])
      assert.deepEqual((await ask(api(call), as(key))).code, "NOT_ALLOWED", call);
    assert.equal(
      (await ask(api("traces/0af7651916cd43dd8448eb211c80319c/fetch"), as(key, { method: "POST" }))).status,
      403,
    );
    assert.equal(
      (await runApm(["token", "revoke", "script", "--state-dir", collector.stateDir.path])).code,
      0,
    );
    assert.equal((await ask(api("apps"), as(token))).status, 401);
    assert.ok(!readFileSync(join(collector.stateDir.path, "tokens.json"), "utf8").includes(token));
  });

  test("a password that cannot be read lets nobody in", async () => {
    const file = join(collector.stateDir.path, "password.json");
    const session = cookieOf(await logIn(collector.url, PASSWORD));
    const good = readFileSync(file, "utf8");
    for (const damaged of ["", "{}", good.slice(0, 40)]) {
      writeFileSync(file, damaged);
      const reply = await ask(api("apps"), { headers: { cookie: session } });
      assert.deepEqual([reply.status, reply.code], [503, "PASSWORD_UNREADABLE"], damaged);
    }
    writeFileSync(file, good);
    assert.equal((await ask(api("apps"), { headers: { cookie: session } })).status, 200);
  });

  test("passwords cannot be tried out: five by one address, some thirty by all, then 429", async () => {
    const stateDir = new StateDir(cleanup);
    writeQuickPassword(stateDir);
    const guessing = await startCollector(cleanup, stateDir);
    const statuses: number[] = [];
    for (let n = 0; n < 6; n++) statuses.push((await logIn(guessing.url, `guess number ${n}`)).status);
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
    const refused = await logIn(guessing.url, PASSWORD);
    assert.deepEqual(
      [refused.status, refused.code],
      [429, "TOO_MANY_LOGINS"],
      "the right one is not tried either",
    );
    const wait = Number(refused.headers.get("retry-after"));
    assert.ok(wait > 0 && wait <= 30, `retry-after: ${wait}`);
    // A guesser who invents an address for each try meets the limit of all together, which lets one through each 3 s.
    const startedMs = performance.now();
    const all = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        logIn(guessing.url, `guess number ${n}`, { "x-forwarded-for": `203.0.113.${n}` }),
      ),
    );
    const tried = all.filter(({ status }) => status === 401).length;
    const refilled = Math.ceil((performance.now() - startedMs) / 3_000) + 10;
    assert.ok(tried <= 25 + refilled, `${tried} of 60 were tried`);
    assert.ok(all.every(({ status }) => status === 401 || status === 429));
    await guessing.program.stop();
  });
});

/** PASSWORD as `apm password` would write it, but with a hash that costs next to nothing: a guess is to be counted, not to be slow. */
function writeQuickPassword(stateDir: StateDir): void {
  const cost = { N: 1_024, r: 8, p: 1 };
  const salt = randomBytes(16);
  const hash = scryptSync(PASSWORD, salt, 32, cost);
  const stored = { version: 1, scrypt: cost, salt: salt.toString("hex"), hash: hash.toString("hex") };
  writeFileSync(join(stateDir.path, "password.json"), JSON.stringify(stored), { mode: 0o600 });
}
