import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, describe, type TestContext, test } from "node:test";
import { DatabaseServers } from "../test-support/database-servers.ts";
import { failureOf, RecordedApp, sortedTexts } from "../test-support/recorded-app.ts";

const require = createRequire(import.meta.url);
const servers = await DatabaseServers.start("redis", "redis-cluster");
after(() => servers.stop());

const CONCURRENT = 200;

for (const library of ["ioredis", "ioredis5"])
  describe(library, { skip: servers.skip }, () => {
    const Redis = require(library);
    const open = (t: TestContext, ...args: unknown[]): InstanceType<typeof Redis> => {
      const client = new Redis(...args).on("error", () => {});
      t.after(() => client.disconnect());
      return client;
    };
    const url = servers.skip === false ? servers.url("redis") : new URL("redis://none");

    test("commands, pipelines and transactions have one span each; what connecting needs has none", async (t) => {
      const app = await RecordedApp.start(t, "obfuscated");
      const client = open(t, url.href, { lazyConnect: true, connectionName: "shop" });
      const { calls } = await app.request(async () => {
        // Waits in the offline queue until the client is ready, and passes sendCommand twice.
        assert.equal(await client.set("canary-key", "canary-value"), "OK");
        assert.deepEqual(await client.pipeline().get("canary-key").incr("n").exec(), [
          [null, "canary-value"],
          [null, 1],
        ]);
        assert.deepEqual(await client.multi().get("canary-key").del("n").exec(), [
          [null, "canary-value"],
          [null, 1],
        ]);
        await client.multi({ pipeline: false });
        await client.get("canary-key");
        await client.exec();
        await new Promise((resolve, reject) =>
          client.get("canary-key", (error: unknown, value: unknown) =>
            error ? reject(error) : resolve(value),
          ),
        );
      });
      assert.deepEqual(
        calls.map(({ name, attributes }) => [name, attributes["db.operation.batch.size"]]),
        [
          ["SET", undefined],
          ["PIPELINE", 2],
          ["MULTI", 2],
          ["MULTI", undefined],
          ["GET", undefined],
          ["EXEC", undefined],
          ["GET", undefined],
        ],
      );
      // A call that is slow, as any may be on a busy machine, has its stack too.
      const { "code.stacktrace": _, ...first } = calls[0]?.attributes ?? {};
      assert.deepEqual(first, {
        "db.system.name": "redis",
        "db.namespace": "0",
        "server.address": "127.0.0.1",
        "server.port": Number(url.port),
        "db.operation.name": "SET",
      });
      assert.doesNotMatch(app.sent, /canary/);
      assert.deepEqual(
        app.peer.spans.filter(({ scope }) => scope === "ioredis").map(({ name }) => name),
        calls.map(({ name }) => name),
      );
    });

    test("requests at the same time keep their own commands, in pipelines made by the client, too", async (t) => {
      const app = await RecordedApp.start(t, "raw");
      const client = open(t, url.href);
      const piping = open(t, url.href, { enableAutoPipelining: true });
      const recorded = await app.requests(CONCURRENT, async (tag) => {
        await Promise.all([client.set(`a:${tag}`, "1"), piping.incr(`b:${tag}`)]);
        await client.pipeline().set(`c:${tag}`, "1").exec();
        // In its callback the context is the caller's.
        await new Promise((resolve) => client.get(`d:${tag}`, () => resolve(client.get(`e:${tag}`))));
      });
      for (const [tag, { calls }] of recorded)
        assert.deepEqual(sortedTexts(calls), [
          `GET d:${tag}`,
          `GET e:${tag}`,
          `INCR b:${tag}`,
          "PIPELINE",
          `SET a:${tag} 1`,
        ]);
    });

    test("a cluster's commands have one span each, with the node they went to", async (t) => {
      const app = await RecordedApp.start(t, "raw");
      const { hostname: host, port } = servers.url("redis-cluster");
      const recorded: string[] = [];
      for (const enableAutoPipelining of [false, true]) {
        const cluster = new Redis.Cluster([{ host, port: Number(port) }], { enableAutoPipelining });
        t.after(() => cluster.disconnect());
        // The first one waits until the cluster's slots are known, and passes sendCommand again then.
        const { calls } = await app.request(async () => {
          await cluster.set("a", "1");
          await cluster.pipeline().get("a").exec();
          await failureOf(() => cluster.lpush("a", "x"));
        });
        for (const { name, hasError, attributes } of calls.filter(({ name }) => name !== "CLUSTER"))
          recorded.push(
            `${name} ${hasError} ${name === "PIPELINE" ? port : String(attributes["server.port"])}`,
          );
      }
      const once = [`SET false ${port}`, `PIPELINE false ${port}`, `LPUSH true ${port}`];
      assert.deepEqual(recorded, [...once, ...once]);
    });

    test("errors and time-outs are the command's own", async (t) => {
      const app = await RecordedApp.start(t, "obfuscated");
      const client = open(t, url.href);
      const impatient = open(t, url.href, { commandTimeout: 50 });
      let failure: unknown;
      const { calls } = await app.request(async () => {
        await client.set("text", "canary");
        failure = await failureOf(() => client.lpush("text", "canary"));
        const [[error]] = await client.pipeline().lpush("text", "canary").exec();
        assert.match(String(error), /WRONGTYPE/);
        await failureOf(() => impatient.blpop("nothing", 5));
      });
      assert.match(String(failure), /WRONGTYPE/);
      assert.deepEqual(
        calls.map(({ name, hasError, attributes }) => [name, hasError, attributes["error.type"]]),
        [
          ["SET", false, undefined],
          ["LPUSH", true, "ReplyError"],
          ["PIPELINE", true, "ReplyError"],
          ["BLPOP", true, "Error"],
        ],
      );
      assert.doesNotMatch(app.sent, /canary/);
    });

    test("a command that is sent again after a reconnect has one span", async (t) => {
      const app = await RecordedApp.start(t, "obfuscated");
      // Cuts the first connection when it hears the command, and passes all on after that.
      const sockets = new Set<Socket>();
      let cuts = 0;
      const proxy = createServer((socket) => {
        const upstream = require("node:net").connect(Number(url.port), "127.0.0.1") as Socket;
        for (const end of [socket, upstream]) sockets.add(end.on("error", () => {}));
        upstream.pipe(socket);
        socket.on("data", (bytes: Buffer) => {
          if (cuts === 0 && bytes.includes("again")) {
            cuts++;
            socket.destroy();
            upstream.destroy();
          } else upstream.write(bytes);
        });
      });
      t.after(() => {
        for (const socket of sockets) socket.destroy();
        proxy.close();
      });
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      const client = open(t, {
        port: (proxy.address() as AddressInfo).port,
        host: "127.0.0.1",
        retryStrategy: () => 5,
      });
      const { calls } = await app.request(() => client.set("again", "1"));
      assert.equal(cuts, 1);
      assert.deepEqual(
        calls.map(({ name, hasError }) => [name, hasError]),
        [["SET", false]],
      );
    });
  });
