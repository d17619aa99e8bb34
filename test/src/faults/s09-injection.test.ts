import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { batchFile, oneRequest } from "../support/batches.ts";
import { Cleanup } from "../support/cleanup.ts";
import { documentedCalls, pathOf } from "../support/documented-calls.ts";
import { eventually } from "../support/eventually.ts";
import { type Collector, createKeyFile, StateDir, startCollector } from "../support/system.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

const APP = "shop";
const HOST = "made-by-hand";
/** For what may be any text. */
const TEXTS = [
  "'",
  '"',
  "\\",
  "%",
  "_",
  "' OR '1'='1",
  "shop' --",
  "shop'/*",
  "'; DROP TABLE requests; --",
  "'; ATTACH '/tmp/s09.db'; COPY requests TO '/tmp/s09.csv'; --",
  "' UNION SELECT * FROM information_schema.tables --",
  "$app ? $1 `x`",
  "{{7*7}} ${7*7}",
  "\u0000",
  "\r\nset-cookie: a=b",
  "__proto__",
  "constructor",
  "x".repeat(2_000),
];
/** For numbers, words of a list and ids. */
const VALUES = ["'", "' OR 1=1 --", "1); SELECT 1; --", "1e9", "-1", "NaN", "99999999999999999999"];
/** Parameters that may be any text, by whatever call they are read; attacked at once. */
const TEXT_NAMES = ["action", "system", "target", "operation", "instance"];
/** At once, beside those that a call's heading names. */
const EVERYWHERE = ["from", "to", "statement"];
/** A good value of each parameter whose heading gives none, so that an attack on another one gets as far as the store. */
const GOOD: Record<string, string> = {
  action: "GET /",
  category: "database",
  durationMs: "10",
  instance: "x",
  maxMs: "1000",
  metrics: "load1",
  minMs: "0",
  selectedFrom: String(Date.now() - 60_000),
  selectedTo: String(Date.now()),
  statement: "0af7651916cd43dd",
  stepMs: "10000",
  stream: "00000000-0000-4000-8000-000000000000",
  target: "x",
  upTo: "1",
};
const otherFields = (text: string): object => ({ password: text, sql: text, apdexTMs: text });
const PASSED = new Set([200, 201, 400, 404, 405, 409, 411, 413, 414, 415, 431]);

describe("S9: what is sent to the API is a value, never a part of a query", () => {
  const cleanup = new Cleanup();
  let collector: Collector;

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    const key = readFileSync(await createKeyFile(collector.stateDir, "s9"), "utf8").trim();
    const uplink = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
    const stream = randomUUID();
    uplink.sendHello(stream);
    await uplink.waitFor("welcome");
    const apps = [APP, "other"].map((app) => ({ app, apdexTMs: 500, instances: [] }));
    const actions = apps.map(({ app }) => oneRequest(app, "GET /"));
    uplink.send(batchFile(stream, 1, { apps, actions }));
    await uplink.waitFor("ack");
    await eventually("it is stored", 20_000, async () =>
      assert.equal(await collector.api.requestCount(APP), 1),
    );
    uplink.terminate();
  });
  after(() => cleanup.run());

  for (const call of documentedCalls())
    test(`${call.method} ${call.path}`, async () => {
      const { method, path, query } = call;
      const known = { app: APP, host: HOST };
      const whole = pathOf(call, known);
      const good = Object.fromEntries(
        Object.entries(query).map(([name, value]) => [name, GOOD[name] ?? value]),
      );
      const urlWith = (changes: Record<string, string>): string =>
        `${whole}?${new URLSearchParams({ ...good, ...changes }).toString()}`;
      if (method === "GET") {
        const { status } = await fetch(`${collector.url}${urlWith({})}`);
        assert.notEqual(status, 400, `${urlWith({})}: what is good for each parameter?`);
      }
      for (const payload of TEXTS) {
        const all = urlWith(Object.fromEntries(TEXT_NAMES.map((name) => [name, payload])));
        const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) =>
          pathOf(call, { ...known, [name]: payload }),
        );
        const bodies =
          method === "GET" ? [] : [{ [payload]: payload }, { name: payload }, otherFields(payload)];
        await Promise.all([
          ...[all, ...parts].map((url) => attack(method, url, payload)),
          ...bodies.map((body) => attack(method, whole, payload, body)),
        ]);
      }
      const own = Object.keys(query).filter((name) => !TEXT_NAMES.includes(name));
      for (const payload of VALUES)
        await Promise.all(
          [...own.map((name) => [name]), EVERYWHERE].map((names) =>
            attack(method, urlWith(Object.fromEntries(names.map((name) => [name, payload]))), payload),
          ),
        );
    });

  test("nothing is gone, nothing came, and the collector complains of nothing", async () => {
    assert.deepEqual((await collector.api.apps()).map(({ app }) => app).sort(), ["other", APP]);
    assert.equal(await collector.api.requestCount(APP), 1);
    assert.equal((await fetch(`${collector.url}/healthz`)).status, 200);
    assert.doesNotMatch(
      collector.program.output,
      /an API call failed|did not answer a query|Parser Error|Binder Error/,
    );
  });

  async function attack(method: string, url: string, payload: string, body?: object): Promise<void> {
    const answer = await fetch(`${collector.url}${url}`, {
      method,
      ...(body !== undefined && {
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    });
    const text = await answer.text();
    const what = `${method} ${url.slice(0, 200)}: ${answer.status} ${text.slice(0, 300)}`;
    assert.ok(PASSED.has(answer.status) || (url.includes("/login") && answer.status === 429), what);
    assert.doesNotMatch(text, /Parser Error|Binder Error|Catalog Error|syntax error/i, what);
    assert.doesNotMatch(answer.headers.get("set-cookie") ?? "", /a=b/, what);
    // A condition that is always true must not find what an unknown name does not.
    if (method === "GET" && url.includes(`/apps/${encodeURIComponent(payload)}/`))
      assert.notEqual(answer.status, 200, what);
  }
});
