"use strict";
// What documentations of database clients show, as a user would write it. Each line that it prints is something that an
// app can see: results, errors, and the order of events. It knows nothing of the agent.
const events = require("node:events");

const [, , library, url] = process.argv;

function show(what, value) {
  console.log(JSON.stringify([what, value === undefined ? "undefined" : value]));
}

/** All that apps look at in an error. */
function describe(error) {
  const { name, message, code, errno, sqlState, sqlMessage, severity, routine, command } = error;
  const isError = error instanceof Error;
  return {
    isError,
    class: error.constructor.name,
    name,
    message,
    code,
    errno,
    sqlState,
    sqlMessage,
    severity,
    routine,
    command,
  };
}

async function attempt(what, work) {
  try {
    const value = await work();
    show(what, value);
  } catch (error) {
    show(`${what} failed`, describe(error));
  }
}

/** The events of an emitter in their order, until one of the last. */
async function showEvents(what, emitter, names, last) {
  const seen = [];
  for (const name of names)
    emitter.on(name, (value) => seen.push([name, value instanceof Error ? value.message : typeof value]));
  await new Promise((resolve) => emitter.once(last, () => setImmediate(resolve)));
  show(what, seen);
}

/** Makes a call whose rejection nobody handles, and waits until Node has told of it. */
async function leaveUnhandled(call) {
  const told = new Promise((resolve) => process.once("unhandledRejection", resolve));
  void call();
  show("unhandled", describe(await told));
}

const usages = {
  async pg() {
    const { Client, Pool, Query } = require("pg");
    const Cursor = require("pg-cursor");
    const QueryStream = require("pg-query-stream");
    class OwnPromise extends Promise {}
    const client = new Client({ connectionString: url, Promise: OwnPromise });
    await client.connect();
    const result = client.query("SELECT id, name FROM users WHERE id = $1", [3]);
    show("promise", [result.constructor.name, (await result).rows, (await result).rowCount]);
    await attempt(
      "array mode",
      async () => (await client.query({ text: "SELECT 1, 2", rowMode: "array" })).rows,
    );
    await attempt(
      "prepared",
      async () => (await client.query({ name: "one", text: "SELECT $1::text AS a", values: ["x"] })).rows,
    );
    await attempt("syntax", () => client.query("SELEC 1"));
    await attempt("null", () => client.query(null));
    await attempt("parameters", () => client.query("SELECT $1::int", ["abc"]));
    await new Promise((resolve) => {
      const returned = client.query("SELECT 1 AS a", (error, { rows }) =>
        resolve(show("callback", [error, rows])),
      );
      show("callback returns", returned);
    });
    await new Promise((resolve) =>
      client.query("SELEC", (error, rows) => resolve(show("callback", [describe(error), rows]))),
    );
    const query = client.query(new Query("SELECT n FROM generate_series(1, 3) n"));
    await showEvents("events", query, ["row", "end", "error"], "end");
    const bad = client.query(new Query("SELECT * FROM nowhere"));
    await showEvents("events of a failure", bad, ["row", "end", "error"], "error");
    const cursor = client.query(new Cursor("SELECT n FROM generate_series(1, 5) n"));
    show("cursor", [
      cursor instanceof Cursor,
      Object.keys(cursor).sort(),
      await cursor.read(2),
      await cursor.read(9),
      await cursor.read(1),
    ]);
    await cursor.close();
    const stream = client.query(new QueryStream("SELECT n FROM generate_series(1, 3) n"));
    await showEvents("stream", stream, ["data", "end", "close", "error"], "close");
    const badStream = client.query(new QueryStream("SELECT 1 / 0"));
    await showEvents("stream of a failure", badStream, ["data", "end", "close", "error"], "close");
    await leaveUnhandled(() => client.query("SELECT nothing FROM nowhere"));
    await client.query("SELECT 1");
    await client.end();
    await attempt("after the end", () => client.query("SELECT 1"));
    const pool = new Pool({ connectionString: url, max: 2 });
    const many = await Promise.all([1, 2, 3, 4, 5].map((n) => pool.query("SELECT $1::int AS n", [n])));
    show(
      "pool",
      many.map(({ rows }) => rows[0].n),
    );
    await attempt("pool fails", () => pool.query("SELEC"));
    const lent = await pool.connect();
    await lent.query("BEGIN");
    await attempt("in a transaction", () => lent.query("SELECT 1 / 0"));
    await attempt("in an aborted one", () => lent.query("SELECT 1"));
    await lent.query("ROLLBACK");
    lent.release();
    await new Promise((resolve) =>
      pool.query("SELECT 2 AS a", (error, { rows }) => resolve(show("pool callback", [error, rows]))),
    );
    show("pool counts", [pool.totalCount, pool.idleCount, pool.waitingCount]);
    await pool.end();
  },

  async mysql2() {
    const mysql = require("mysql2");
    const promised = require("mysql2/promise");
    const uri = new URL(url);
    const options = { host: uri.hostname, port: Number(uri.port), user: "root", database: "stock" };
    const connection = mysql.createConnection(options);
    const call = (method, ...args) =>
      new Promise((resolve) => {
        const returned = connection[method](...args, (error, rows, fields) =>
          resolve(show(method, [error && describe(error), rows, fields?.map(({ name }) => name)])),
        );
        show(`${method} returns`, [returned.constructor.name, returned.sql, returned.listenerCount("error")]);
      });
    await call("query", "SELECT id, name FROM items WHERE id = ?", [3]);
    await call("execute", "SELECT id, name FROM items WHERE id = ?", [3]);
    await call("query", { sql: "SELECT 1 AS a", rowsAsArray: true });
    await call("query", "SELEC 1");
    await call("execute", "SELECT * FROM nowhere");
    await call("query", { sql: "SELECT SLEEP(1)", timeout: 30 });
    connection.destroy();
    const other = mysql.createConnection(options);
    const names = ["fields", "result", "end", "error"];
    await showEvents("events", other.query("SELECT id FROM items LIMIT 3"), names, "end");
    await showEvents("events of a failure", other.query("SELECT * FROM nowhere"), names, "end");
    await showEvents("execute's events", other.execute("SELECT id FROM items LIMIT 2"), names, "end");
    await showEvents(
      "stream",
      other.query("SELECT id FROM items LIMIT 3").stream(),
      ["data", "end", "error"],
      "end",
    );
    await attempt("await of no promise", async () => await other.query("SELECT 1").then());
    other.end();
    await events.once(other, "end").catch(() => {});
    const pool = promised.createPool({ ...options, connectionLimit: 2 });
    const many = await Promise.all([1, 2, 3, 4].map((n) => pool.query("SELECT ? AS n", [n])));
    show(
      "pool",
      many.map(([rows]) => rows[0].n),
    );
    await attempt("prepared", async () => (await pool.execute("SELECT ? AS a", ["x"]))[0]);
    await attempt("pool fails", () => pool.query("SELECT * FROM nowhere"));
    await attempt("undefined", () => pool.execute("SELECT ?", [undefined]));
    const lent = await pool.getConnection();
    await lent.beginTransaction();
    await attempt("double", () => lent.query("INSERT INTO orders VALUES ('north', 1)"));
    await lent.rollback();
    lent.release();
    await leaveUnhandled(() => pool.query("SELECT nothing FROM nowhere"));
    await pool.query("SELECT SLEEP(0.01)");
    await pool.end();
    await attempt("after the end", () => pool.query("SELECT 1"));
  },

  async redis() {
    const { createClient, createClientPool } = require("redis");
    const client = createClient({ url });
    await attempt("before connect", () => client.get("a"));
    client.on("error", () => {});
    await client.connect();
    await client.flushAll();
    const returned = client.set("a", "1", { EX: 100 });
    show("set", [returned.constructor.name, await returned]);
    await attempt("get", () => client.get("a"));
    await attempt("none", () => client.get("none"));
    await attempt("hash", async () => [
      await client.hSet("h", { x: "1", y: "2" }),
      await client.hGetAll("h"),
    ]);
    await attempt("wrong type", () => client.lPush("a", "x"));
    await attempt("bad argument", () => client.set("a", {}));
    await attempt("sendCommand", () => client.sendCommand(["ECHO", "x"]));
    await attempt("unknown", () => client.sendCommand(["NOPE", "x"]));
    await attempt("multi", () => client.multi().set("b", "2").get("b").exec());
    await attempt("multi fails", () => client.multi().set("b", "2").lPush("b", "x").exec());
    await attempt("pipeline", () => client.multi().get("a").get("b").execAsPipeline());
    await attempt("watched", async () => {
      await client.watch("a");
      const rival = await client.duplicate().connect();
      await rival.set("a", "rival");
      rival.destroy();
      return await client.multi().set("a", "mine").exec();
    });
    await attempt("aborted", () => client.withAbortSignal(AbortSignal.abort()).get("a"));
    const keys = [];
    for await (const page of client.scanIterator()) keys.push(...page);
    show("scan", keys.sort());
    const subscriber = await client
      .duplicate()
      .on("error", () => {})
      .connect();
    const heard = new Promise((resolve) => subscriber.subscribe("news", (...message) => resolve(message)));
    await client.ping();
    while ((await client.publish("news", "hello")) === 0);
    show("subscribe", await heard);
    await subscriber.close();
    const pool = await createClientPool({ url }, { maximum: 2 }).connect();
    show("pool", await Promise.all(["a", "b", "c", "d"].map((key) => pool.set(key, key))));
    await attempt("pool's client", () =>
      pool.execute(async (one) => [await one.set("e", "5"), await one.get("e")]),
    );
    await attempt("pool fails", () => pool.execute(() => Promise.reject(new RangeError("mine"))));
    await pool.close();
    await leaveUnhandled(() => client.lPush("a", "x"));
    await client.ping();
    await client.close();
    await attempt("after the end", () => client.get("a"));
  },

  async ioredis() {
    const Redis = require("ioredis");
    const client = new Redis(url, { lazyConnect: true });
    const statuses = [];
    for (const name of ["connect", "ready", "close", "end"]) client.on(name, () => statuses.push(name));
    await client.flushall();
    const returned = client.set("a", "1", "EX", 100);
    show("set", [returned.constructor.name, await returned]);
    await attempt("get", () => client.get("a"));
    await attempt("buffer", async () => String(await client.getBuffer("a")));
    await attempt("hash", async () => [await client.hset("h", { x: "1" }), await client.hgetall("h")]);
    await attempt("wrong type", () => client.lpush("a", "x"));
    await attempt("call", () => client.call("ECHO", "x"));
    await attempt("unknown", () => client.call("NOPE", "x"));
    await new Promise((resolve) =>
      client.get("a", (error, value) => resolve(show("callback", [error, value]))),
    );
    await new Promise((resolve) =>
      client.lpush("a", "x", (error, value) => resolve(show("callback", [describe(error), value]))),
    );
    const plain = (results) => results.map(([error, value]) => [error && describe(error), value]);
    await attempt("pipeline", async () =>
      plain(await client.pipeline().set("b", "2").lpush("b", "x").get("b").exec()),
    );
    await attempt("pipeline's array", async () =>
      plain(
        await client
          .pipeline([
            ["get", "a"],
            ["get", "b"],
          ])
          .exec(),
      ),
    );
    await attempt("multi", async () => plain(await client.multi().set("b", "2").get("b").exec()));
    await attempt("multi fails", async () =>
      plain(await client.multi().set("b", "2").lpush("b", "x").exec()),
    );
    await attempt("multi is refused", () => client.multi().set("b").get("b").exec());
    await new Promise((resolve) =>
      client
        .multi()
        .get("a")
        .exec((error, results) => resolve(show("multi's callback", [error, results]))),
    );
    await attempt("open multi", async () => {
      await client.multi({ pipeline: false });
      return [await client.get("a"), await client.exec()];
    });
    client.defineCommand("twice", { numberOfKeys: 1, lua: "return {KEYS[1], ARGV[1], ARGV[1]}" });
    await attempt("script", () => client.twice("k", "v"));
    await attempt("script again", () => client.twice("k", "v"));
    const keys = [];
    for await (const page of client.scanStream()) keys.push(...page);
    show("scan", keys.map(String).sort());
    const subscriber = client.duplicate();
    await subscriber.subscribe("news");
    const heard = events.once(subscriber, "message");
    await client.publish("news", "hello");
    show("subscribe", await heard);
    await attempt("while subscribed", () => subscriber.get("a"));
    subscriber.disconnect();
    const piping = new Redis(url, { enableAutoPipelining: true });
    show("automatic pipeline", await Promise.all(["a", "b", "none"].map((key) => piping.get(key))));
    await attempt("it fails", () => piping.lpush("a", "x"));
    piping.disconnect();
    const late = new Redis(url, { commandTimeout: 30 });
    await attempt("time-out", () => late.blpop("nothing", 1));
    late.disconnect();
    await leaveUnhandled(() => client.lpush("a", "x"));
    await client.ping();
    show("quit", await client.quit());
    await events.once(client, "end").catch(() => {});
    show("statuses", statuses);
    await attempt("after the end", () => client.get("a"));
  },
};

void usages[library]();
