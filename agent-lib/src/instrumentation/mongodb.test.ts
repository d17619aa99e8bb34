import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, type TestContext, test } from "node:test";
import { MongodbResponder } from "../test-support/mongodb-responder.ts";
import { failureOf, RecordedApp } from "../test-support/recorded-app.ts";

const require = createRequire(import.meta.url);
const CONCURRENT = 200;
/** Longer than what may stand by chance in times, ids and ports. */
const CANARY = 604_197_319_741;

type Command = Record<string, unknown>;

/** A server with endless collections of three documents, of which some fail by their names. */
function answer(command: Command): Command | null {
  const [name = ""] = Object.keys(command);
  const collection = typeof command[name] === "string" ? command[name] : "";
  if (collection === "silent") return null;
  if (collection === "forbidden")
    return { ok: 0, code: 13, codeName: "Unauthorized", errmsg: 'not authorized for "canary"' };
  if (collection === "unique")
    return { ok: 1, n: 0, writeErrors: [{ index: 0, code: 11_000, errmsg: 'dup key: { name: "canary" }' }] };
  const cursor = { ns: `shop.${collection}`, id: 0n };
  if (name === "find") return { ok: 1, cursor: { ...cursor, id: 7n, firstBatch: [{ _id: 1 }, { _id: 2 }] } };
  if (name === "getMore")
    return {
      ok: 1,
      cursor: { ns: `shop.${String(command["collection"])}`, id: 0n, nextBatch: [{ _id: 3 }] },
    };
  if (name === "aggregate") return { ok: 1, cursor: { ...cursor, firstBatch: [{ n: 3 }] } };
  return { ok: 1, n: 1, nModified: 1 };
}

for (const library of ["mongodb", "mongodb6"])
  describe(library, () => {
    const { MongoClient, BSON } = require(library);

    async function open(t: TestContext): Promise<InstanceType<typeof MongoClient>> {
      const server = await new MongodbResponder(BSON, answer).listen();
      const client = new MongoClient(`mongodb://127.0.0.1:${server.port}/shop`, { maxPoolSize: 5 });
      t.after(async () => {
        await client.close();
        await server.close();
      });
      await client.connect();
      return client;
    }

    test("commands have spans with shapes and no values; a cursor has one for each batch", async (t) => {
      const app = await RecordedApp.start(t, "obfuscated");
      const client = await open(t);
      const users = client.db().collection("users");
      const { calls } = await app.request(async () => {
        await users.insertOne({ name: "canary", password: "canary" });
        const found = await users
          .find({ name: "canary", age: { $in: [CANARY, CANARY + 1] }, [`by.canary${CANARY}`]: 1 })
          .sort({ age: 1 })
          .toArray();
        assert.equal(found.length, 3);
        await users.updateOne({ name: "canary" }, { $set: { note: "canary" } });
        await users.deleteMany({ $or: [{ name: "canary" }, { name: "canary too" }] });
        await users.aggregate([{ $match: { name: "canary" } }, { $count: "canary" }]).toArray();
      });
      assert.deepEqual(
        calls.map(({ name, attributes }) => [name, attributes["db.query.text"]]),
        [
          ["insert users", "insert"],
          ["find users", "find {filter: {name: ?, age: {$in: [?]}, ?: ?}, sort: {age: ?}}"],
          ["getMore users", "getMore"],
          ["update users", "update {updates: [{q: {name: ?}, u: {$set: {note: ?}}}]}"],
          ["delete users", "delete {deletes: [{q: {$or: [{name: ?}]}}]}"],
          ["aggregate users", "aggregate {pipeline: [{$match: {name: ?}}, {$count: ?}]}"],
        ],
      );
      assert.deepEqual(
        { ...calls[0]?.attributes, "server.port": 0 },
        {
          "db.system.name": "mongodb",
          "db.namespace": "shop",
          "server.address": "127.0.0.1",
          "server.port": 0,
          "db.operation.name": "insert",
          "db.collection.name": "users",
          "db.query.text": "insert",
        },
      );
      assert.doesNotMatch(app.sent, new RegExp(`canary|${CANARY}`));
      // Neither greetings nor heartbeats.
      assert.equal(app.peer.spans.filter(({ scope }) => scope === "mongodb").length, calls.length);
    });

    test("requests at the same time keep their own commands, whatever the pool's size", async (t) => {
      const app = await RecordedApp.start(t, "obfuscated");
      const client = await open(t);
      const recorded = await app.requests(CONCURRENT, async (tag) => {
        const collection = client.db().collection(tag);
        await Promise.all([collection.insertOne({}), collection.find({}).toArray()]);
        for await (const document of collection.find({ a: 1 })) assert.ok(document);
      });
      for (const [tag, { calls }] of recorded)
        assert.deepEqual(calls.map(({ name }) => name).toSorted(), [
          `find ${tag}`,
          `find ${tag}`,
          `getMore ${tag}`,
          `getMore ${tag}`,
          `insert ${tag}`,
        ]);
    });

    test("errors of commands and of writes, and what the app gives up", async (t) => {
      const app = await RecordedApp.start(t, "obfuscated");
      const client = await open(t);
      const db = client.db();
      const { calls } = await app.request(async () => {
        const forbidden = await failureOf(() => db.collection("forbidden").find({}).toArray());
        assert.deepEqual(
          [(forbidden as Error).name, (forbidden as { code: number }).code],
          ["MongoServerError", 13],
        );
        const double = await failureOf(() => db.collection("unique").insertOne({ name: "canary" }));
        assert.equal((double as { code: number }).code, 11_000);
        const signal = AbortSignal.timeout(50);
        await failureOf(() => db.collection("silent").find({}, { signal }).toArray());
      });
      assert.deepEqual(
        calls.map(({ name, hasError, attributes }) => [name, hasError, attributes["error.type"]]),
        [
          ["find forbidden", true, "13"],
          ["insert unique", true, "11000"],
          ["find silent", true, "MongoOperationTimeoutError"],
        ],
      );
      assert.doesNotMatch(app.sent, /canary/);
    });
  });
