import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, describe, test } from "node:test";
import { DatabaseServers } from "../test-support/database-servers.ts";
import { failureOf, RecordedApp } from "../test-support/recorded-app.ts";

const require = createRequire(import.meta.url);
const servers = await DatabaseServers.start("memcached");
after(() => servers.stop());

const CONCURRENT = 200;
const host = servers.skip === false ? servers.url("memcached").host : "";
const SILENT = { log: () => {} };

describe("memcached", { skip: servers.skip }, () => {
  const Memcached = require("memcached");
  const call = (client: Record<string, unknown>, method: string, ...args: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) =>
      (client[method] as (...all: unknown[]) => void)(...args, (error: unknown, value: unknown) =>
        error ? reject(error) : resolve(value),
      ),
    );

  test("commands have spans with name and server, and errors are told from answers", async (t) => {
    const app = await RecordedApp.start(t, "obfuscated");
    const client = new Memcached(host);
    t.after(() => client.end());
    const { calls } = await app.request(async () => {
      await call(client, "set", "canary-key", "canary-value", 10);
      assert.equal(await call(client, "get", "canary-key"), "canary-value");
      assert.deepEqual(await call(client, "getMulti", ["canary-key", "none"]), {
        "canary-key": "canary-value",
      });
      await failureOf(() => call(client, "add", "canary-key", "again", 10));
      await failureOf(() => call(client, "incr", "canary-key", 1));
    });
    assert.deepEqual(
      calls.map(({ name, hasError }) => [name, hasError]),
      [
        ["SET", false],
        ["GET", false],
        ["GET", false],
        ["ADD", false],
        ["INCR", true],
      ],
    );
    assert.deepEqual(calls[0]?.attributes, {
      "db.system.name": "memcached",
      "server.address": "127.0.0.1",
      "server.port": Number(host.split(":")[1]),
      "db.operation.name": "SET",
    });
    assert.doesNotMatch(app.sent, /canary/);
  });

  test("requests at the same time keep their own commands, in callbacks, too", async (t) => {
    const app = await RecordedApp.start(t, "raw");
    const client = new Memcached(host, { poolSize: 3 });
    t.after(() => client.end());
    const recorded = await app.requests(
      CONCURRENT,
      (tag) =>
        new Promise((resolve) =>
          client.set(`a-${tag}`, "1", 10, () => client.get(`a-${tag}`, () => resolve(undefined))),
        ),
    );
    for (const [tag, { calls }] of recorded)
      assert.deepEqual(
        calls.map(({ attributes }) => attributes["db.query.text"]),
        [`SET a-${tag} 1`, `GET a-${tag}`],
      );
  });

  test("a server that is not there is an error", async (t) => {
    const app = await RecordedApp.start(t, "obfuscated");
    const client = new Memcached("127.0.0.1:1", { retries: 0, timeout: 200, retry: 5, failuresTimeout: 5 });
    t.after(() => client.end());
    const { calls } = await app.request(() => failureOf(() => call(client, "get", "a")));
    assert.deepEqual(
      calls.map(({ name, hasError, attributes }) => [name, hasError, typeof attributes["error.type"]]),
      [["GET", true, "string"]],
    );
  });
});

describe("memjs", { skip: servers.skip }, () => {
  const { Client } = require("memjs");

  test("operations have spans with name and server, and errors are told from answers", async (t) => {
    const app = await RecordedApp.start(t, "obfuscated");
    const client = Client.create(host, { logger: SILENT });
    t.after(() => client.close());
    const { calls } = await app.request(async () => {
      await client.set("canary-key", "canary-value", {});
      assert.equal(String((await client.get("canary-key")).value), "canary-value");
      assert.equal(await client.add("canary-key", "again", {}), false);
      assert.equal((await client.get("canary-none")).value, null);
      await failureOf(() => client.increment("canary-key", 1, {}));
      assert.equal(await client.delete("canary-key"), true);
    });
    assert.deepEqual(
      calls.map(({ name, hasError, attributes }) => [name, hasError, attributes["error.type"]]),
      [
        ["SET", false, undefined],
        ["GET", false, undefined],
        ["ADD", false, undefined],
        ["GET", false, undefined],
        ["INCR", true, "6"],
        ["DELETE", false, undefined],
      ],
    );
    assert.equal(calls[0]?.attributes["server.port"], Number(host.split(":")[1]));
    assert.equal(calls[0]?.attributes["db.system.name"], "memcached");
    assert.doesNotMatch(app.sent, /canary/);
  });

  test("requests at the same time keep their own commands, in callbacks, too", async (t) => {
    const app = await RecordedApp.start(t, "raw");
    const client = Client.create(host, { logger: SILENT });
    t.after(() => client.close());
    const recorded = await app.requests(
      CONCURRENT,
      (tag) =>
        new Promise((resolve) =>
          client.set(`a-${tag}`, "1", {}, () => client.get(`a-${tag}`, () => resolve(undefined))),
        ),
    );
    for (const [tag, { calls }] of recorded)
      assert.deepEqual(
        calls.map(({ attributes }) => attributes["db.query.text"]),
        [`SET a-${tag}`, `GET a-${tag}`],
      );
  });

  test("retries belong to one span, which fails with the last of them", async (t) => {
    const app = await RecordedApp.start(t, "obfuscated");
    const client = Client.create("127.0.0.1:1", { logger: SILENT, retries: 3, retry_delay: 0.01 });
    t.after(() => client.close());
    const { calls } = await app.request(() => failureOf(() => client.get("a")));
    assert.deepEqual(
      calls.map(({ name, hasError, attributes }) => [name, hasError, attributes["error.type"]]),
      [["GET", true, "ECONNREFUSED"]],
    );
  });
});
