import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, describe, type TestContext, test } from "node:test";
import { DatabaseServers } from "../test-support/database-servers.ts";
import { failureOf, RecordedApp, sortedTexts } from "../test-support/recorded-app.ts";

const require = createRequire(import.meta.url);
const servers = await DatabaseServers.start("postgresql");
after(() => servers.stop());

const CONCURRENT = 200;
const connectionString = servers.skip === false ? servers.url("postgresql").href : "";

describe("pg", { skip: servers.skip }, () => {
  const { Client, Pool, Query } = require("pg");
  const Cursor = require("pg-cursor");
  const QueryStream = require("pg-query-stream");

  async function open(t: TestContext, options: object = {}): Promise<InstanceType<typeof Client>> {
    const client = new Client({ connectionString, ...options });
    client.on("error", () => {});
    t.after(() => client.end());
    await client.connect();
    return client;
  }

  test("each way to query has one span, and the app's objects stay as they were", async (t) => {
    const app = await RecordedApp.start(t, "obfuscated");
    const client = await open(t);
    const seen: unknown[] = [];
    const config = {
      text: "SELECT 5 AS a",
      callback: (_error: unknown, result: { rows: unknown[] }) => seen.push(...result.rows),
    };
    const { calls } = await app.request(async () => {
      seen.push(...(await client.query("SELECT 1 AS a")).rows);
      seen.push(...(await client.query({ text: "SELECT $1::int AS a", values: [2] })).rows);
      await new Promise((resolve) =>
        client.query("SELECT 3 AS a", (_error: unknown, result: { rows: unknown[] }) =>
          resolve(seen.push(...result.rows)),
        ),
      );
      const query = client.query(new Query("SELECT 4 AS a"));
      query.on("row", (row: unknown) => seen.push(row));
      await new Promise((resolve) => query.on("end", resolve));
      const { callback } = config;
      assert.equal(client.query(config), undefined);
      assert.equal(config.callback, callback);
      await client.query("SELECT 6 AS a");
    });
    assert.deepEqual(
      seen,
      [1, 2, 3, 4, 5].map((a) => ({ a })),
    );
    assert.deepEqual(
      calls.map(({ name, hasError, attributes }) => [name, hasError, attributes["db.query.text"]]),
      ["?", "?::int", "?", "?", "?", "?"].map((value) => ["SELECT", false, `SELECT ${value} AS a`]),
    );
    assert.equal(calls[0]?.attributes["db.namespace"], "postgres");
  });

  test("cursors and streams have a span from the query to their end, in the context of their caller", async (t) => {
    const app = await RecordedApp.start(t, "obfuscated");
    const client = await open(t);
    const many = "SELECT n FROM generate_series(1, 500) n";
    const { calls } = await app.request(async () => {
      const cursor = client.query(new Cursor(`${many} /* all */`));
      assert.equal((await cursor.read(600)).length, 500);
      assert.equal((await cursor.read(1)).length, 0);
      const closed = client.query(new Cursor(`${many} ORDER BY n`));
      assert.equal((await closed.read(10)).length, 10);
      await closed.close();
      const failing = client.query(new Cursor("SELECT * FROM nowhere"));
      await failureOf(() => failing.read(1));
      let rows = 0;
      for await (const row of client.query(new QueryStream(many))) rows += row.n > 0 ? 1 : 0;
      assert.equal(rows, 500);
      // Rows by event are handled in the request that asked for them.
      const stream = client.query(new QueryStream(many, [], { batchSize: 500 }));
      await new Promise((resolve, reject) => {
        stream.once("data", () =>
          stream.once("close", () => client.query("SELECT 'after'").then(resolve, reject)),
        );
        stream.resume();
      });
    });
    assert.deepEqual(
      calls.map(({ hasError, attributes }) => [
        attributes["db.query.text"],
        attributes["error.type"],
        hasError,
      ]),
      [
        ["SELECT n FROM generate_series(?, ?) n", undefined, false],
        ["SELECT n FROM generate_series(?, ?) n ORDER BY n", undefined, false],
        ["SELECT * FROM nowhere", "42P01", true],
        ["SELECT n FROM generate_series(?, ?) n", undefined, false],
        ["SELECT n FROM generate_series(?, ?) n", undefined, false],
        ["SELECT ?", undefined, false],
      ],
    );
  });

  test("requests at the same time keep their own queries, with more of them than the pool has clients", async (t) => {
    const app = await RecordedApp.start(t, "obfuscated");
    const pool = new Pool({ connectionString, max: 5 });
    t.after(() => pool.end());
    const recorded = await app.requests(CONCURRENT, async (tag) => {
      await Promise.all([pool.query(`SELECT 1 AS ${tag}_a`), pool.query(`SELECT 1 AS ${tag}_b`)]);
      const client = await pool.connect();
      await client.query(`SELECT 1 AS ${tag}_c`).finally(() => client.release());
      await new Promise((resolve) =>
        pool.query(`SELECT 1 AS ${tag}_d`, () => resolve(pool.query(`SELECT 1 AS ${tag}_e`))),
      );
    });
    for (const [tag, { calls }] of recorded)
      assert.deepEqual(
        sortedTexts(calls),
        ["a", "b", "c", "d", "e"].map((part) => `SELECT ? AS ${tag}_${part}`),
      );
  });

  test("errors, time-outs and a connection that breaks", async (t) => {
    const app = await RecordedApp.start(t, "obfuscated");
    const client = await open(t, { query_timeout: 100 });
    const victim = await open(t);
    const { calls } = await app.request(async () => {
      const error = await failureOf(() => client.query("SELECT 'canary'::int"));
      assert.deepEqual([(error as { code: string }).code, (error as Error).name], ["22P02", "error"]);
      await failureOf(() => client.query("SELECT pg_sleep(0.3)"));
      const { rows } = await victim.query("SELECT pg_backend_pid() AS pid");
      const waiting = failureOf(() => victim.query("SELECT pg_sleep(10)"));
      const other = await open(t);
      await other.query("SELECT pg_terminate_backend($1)", [rows[0].pid]);
      await waiting;
    });
    // The server decides which of two calls that end together is the first.
    assert.deepEqual(
      calls
        .map(({ attributes }) => [attributes["db.query.text"], String(attributes["error.type"])].join(": "))
        .toSorted(),
      [
        "SELECT ?::int: 22P02",
        "SELECT pg_backend_pid() AS pid: undefined",
        "SELECT pg_sleep(?): 57P01",
        "SELECT pg_sleep(?): Error",
        "SELECT pg_terminate_backend(?): undefined",
      ],
    );
    assert.doesNotMatch(app.sent, /canary/);
  });
});
