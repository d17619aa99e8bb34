import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { batchFile, oneRequest } from "../support/batches.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { type Collector, createKeyFile, StateDir, startCollector } from "../support/system.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

const API_PAGE = fileURLToPath(new URL("../../../docs/api.md", import.meta.url));
const APP = "shop";
const PAYLOADS = [
  "'",
  '"',
  "`",
  "\\",
  "%",
  "_",
  "' OR '1'='1",
  "' OR 1=1 --",
  "shop' --",
  "shop'/*",
  "'; DROP TABLE requests; --",
  "'; ATTACH '/tmp/s09.db'; --",
  "'; COPY requests TO '/tmp/s09.csv'; --",
  "' UNION SELECT * FROM information_schema.tables --",
  "1); SELECT 1; --",
  "0 UNION SELECT 1",
  "1e9",
  "-1",
  "0x10",
  "NaN",
  "99999999999999999999",
  "$app",
  "?",
  "{{7*7}}",
  "${7*7}",
  "\u0000",
  "\r\nset-cookie: a=b",
  "__proto__",
  "constructor",
  "x".repeat(3_000),
];
/** Beside those that a call documents. */
const EVERYWHERE = ["from", "to"];
const otherFields = (text: string): object => ({ password: text, sql: text, apdexTMs: text });
const PASSED = new Set([200, 201, 400, 404, 405, 409, 411, 413, 414, 415, 431]);

interface Call {
  method: string;
  path: string;
  parameters: string[];
}

/** Every call that docs/api.md describes, so that a new one is attacked as soon as it is documented. */
function documentedCalls(): Call[] {
  const calls = [...readFileSync(API_PAGE, "utf8").matchAll(/^### `([A-Z]+) (\/api\/\S+?)(?:\?(\S*))?`$/gm)];
  return calls.map(([, method = "", path = "", query = ""]) => ({
    method,
    path,
    parameters: [
      ...new Set([...query.split("&").map((one) => one.split("=")[0] ?? ""), ...EVERYWHERE]),
    ].filter((name) => name !== ""),
  }));
}

/** The path with one part replaced, the others by names that are there, or not. */
function withPart(parts: readonly string[], index: number, value: string): string {
  return parts
    .map((part, i) => (i === index ? value : part.replace("{app}", APP).replace(/\{\w+\}/, "x")))
    .join("/");
}

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

  test("the documentation names every call", () => {
    const calls = documentedCalls();
    assert.ok(calls.length >= 25, `${calls.length} calls`);
    for (const path of [
      "/api/v1/apps/{app}/summary",
      "/api/v1/settings/apps/{app}",
      "/api/v1/keys",
      "/api/v1/login",
    ])
      assert.ok(
        calls.some((call) => call.path === path),
        path,
      );
  });

  for (const { method, path, parameters } of documentedCalls())
    test(`${method} ${path}`, async () => {
      const whole = path.replaceAll("{app}", APP).replaceAll(/\{\w+\}/g, "x");
      for (const payload of PAYLOADS) {
        const encoded = encodeURIComponent(payload);
        const parts = path.split("/");
        const urls = [
          ...parameters.map((name) => `${whole}?${name}=${encoded}`),
          ...parts.flatMap((part, i) => (part.startsWith("{") ? [withPart(parts, i, encoded)] : [])),
        ];
        const bodies =
          method === "GET" ? [] : [{ [payload]: payload }, { name: payload }, otherFields(payload)];
        await Promise.all([
          ...urls.map((url) => attack(method, url, payload)),
          ...bodies.map((body) => attack(method, whole, payload, body)),
        ]);
      }
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
