import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, describe, type TestContext, test } from "node:test";
import { DatabaseServers } from "../test-support/database-servers.ts";
import { failureOf, RecordedApp, sortedTexts } from "../test-support/recorded-app.ts";

const require = createRequire(import.meta.url);
const servers = await DatabaseServers.start("redis");
after(() => servers.stop());

const REDIS = ["redis", "redis5", "redis4"];
const CONCURRENT = 200;

for (const library of REDIS)
  describe(`node-redis as ${library}`, { skip: servers.skip }, async () => {
    const redis = require(library);
    const isOld = library === "redis4";
    const url = servers.skip === false ? servers.url("redis") : new URL("redis://none");
    const open = async (t: TestContext): Promise<ReturnType<typeof redis.createClient>> => {
      const client = redis.createClient({ url: url.href }).on("error", () => {});
      t.after(() => client.isOpen && (isOld ? client.disconnect() : client.destroy()));
      return client.connect();
    };

    test("commands have spans with name and server, and nothing else in obfuscated mode", async (t) => {
      const app = await RecordedApp.start(t, "obfuscated");
      const client = await open(t);
      const { calls } = await app.request(async () => {
        assert.equal(await client.set("canary-key", "canary-value"), "OK");
        assert.equal(await client.get("canary-key"), "canary-value");
      });
      assert.deepEqual(
        calls.map(({ name, scope }) => [name, scope]),
        [
          ["SET", "redis"],
          ["GET", "redis"],
        ],
      );
      if (!isOld)
        assert.deepEqual(calls[0]?.attributes, {
          "db.system.name": "redis",
          "server.address": "127.0.0.1",
          "server.port": Number(url.port),
          "db.operation.name": "SET",
        });
      assert.doesNotMatch(app.sent, /canary/);
      assert.ok(app.peer.spans.every(({ name }) => name !== "CLIENT" && name !== "HELLO"));
    });

    test("requests at the same time keep their own commands", async (t) => {
      const app = await RecordedApp.start(t, "raw");
      const client = await open(t);
      // More waiters than clients: the pool hands one on in the context of whoever gives it back.
      const pool =
        redis.createClientPool === undefined
          ? null
          : await redis.createClientPool({ url: url.href }, { maximum: 3 }).connect();
      t.after(() => pool?.close());
      const recorded = await app.requests(CONCURRENT, async (tag) => {
        await Promise.all([client.set(`a:${tag}`, "1"), client.incr(`b:${tag}`)]);
        await client.multi().set(`c:${tag}`, "1").get(`c:${tag}`).exec();
        await (pool ?? client).get(`d:${tag}`);
      });
      for (const [tag, { calls }] of recorded) {
        const multi = isOld ? ["MULTI", `SET c:${tag} 1`, `GET c:${tag}`, "EXEC"] : ["MULTI"];
        const expected = [`SET a:${tag} 1`, `INCR b:${tag}`, ...multi, `GET d:${tag}`];
        assert.deepEqual(sortedTexts(calls), expected.toSorted());
      }
    });

    test("errors, time-outs and blocking commands; publish and subscribe", async (t) => {
      const app = await RecordedApp.start(t, "obfuscated");
      const client = await open(t);
      const blocking = await open(t);
      const subscriber = await open(t);
      const heard: string[] = [];
      await subscriber.subscribe("news", (message: string) => heard.push(message));
      let failure: unknown;
      const { calls } = await app.request(async () => {
        await client.set("text", "canary");
        failure = await failureOf(() => client.lPush("text", "canary"));
        assert.equal(await blocking.blPop("nothing", 0.05), null);
        await client.publish("news", "canary");
      });
      assert.match(String(failure), /WRONGTYPE/);
      const byName = new Map(calls.map((span) => [span.name, span]));
      assert.deepEqual([...byName.keys()], ["SET", "LPUSH", "BLPOP", "PUBLISH"]);
      assert.equal(byName.get("LPUSH")?.hasError, true);
      assert.ok(String(byName.get("LPUSH")?.attributes["error.type"]).length > 0);
      assert.ok((byName.get("BLPOP")?.durationMs ?? 0) >= 40);
      assert.deepEqual(heard, ["canary"]);
      assert.doesNotMatch(app.sent, /canary/);
      const cut = await app.request(async () => {
        const waiting = failureOf(() => blocking.blPop("nothing", 30));
        await new Promise((resolve) => setTimeout(resolve, 20));
        await (isOld ? blocking.disconnect() : blocking.destroy());
        await waiting;
      });
      assert.deepEqual(
        cut.calls.map(({ name, hasError }) => [name, hasError]),
        [["BLPOP", true]],
      );
    });
  });
