import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, describe, type TestContext, test } from "node:test";
import { DatabaseServers } from "../test-support/database-servers.ts";
import { failureOf, RecordedApp, sortedTexts } from "../test-support/recorded-app.ts";

const require = createRequire(import.meta.url);
const servers = await DatabaseServers.start("mariadb");
after(() => servers.stop());

const CONCURRENT = 200;
const { hostname: host, port } = servers.skip === false ? servers.url("mariadb") : new URL("mysql://none");
const options = { host, port: Number(port), user: "root", database: "stock" };

for (const library of ["mysql", "mysql2"])
  describe(library, { skip: servers.skip }, () => {
    const mysql = require(library);
    type Query = (...args: unknown[]) => Promise<unknown>;

    function open(t: TestContext, more: object = {}): { connection: Record<string, unknown>; query: Query } {
      const connection = mysql.createConnection({ ...options, ...more });
      connection.on("error", () => {});
      t.after(() => connection.destroy());
      return { connection, query: promised(connection, "query") };
    }

    function promised(target: Record<string, unknown>, method: string): Query {
      return (...args) =>
        new Promise((resolve, reject) =>
          (target[method] as (...all: unknown[]) => void)(...args, (error: unknown, rows: unknown) =>
            error ? reject(error) : resolve(rows),
          ),
        );
    }

    test("each way to query has one span with the server it went to", async (t) => {
      const app = await RecordedApp.start(t, "obfuscated");
      const { connection, query } = open(t);
      const names: string[] = [];
      const { calls } = await app.request(async () => {
        await query("SELECT name FROM items WHERE id = ?", ["canary"]);
        await query({ sql: "SELECT name FROM items WHERE name = 'canary'", timeout: 5_000 });
        const events = (connection["query"] as (sql: string) => NodeJS.EventEmitter)(
          "SELECT name FROM items WHERE id < 3",
        );
        // Rows by event are handled in the request that asked for them.
        const insideRows: Promise<unknown>[] = [];
        events.on("result", ({ name }: { name: string }) => {
          names.push(name);
          if (names.length === 1) insideRows.push(query("SELECT 'inside'"));
        });
        await new Promise((resolve) => events.on("end", resolve));
        await Promise.all(insideRows);
        const stream = (connection["query"] as (sql: string) => { stream(): NodeJS.EventEmitter })(
          "SELECT name FROM items",
        ).stream();
        let rows = 0;
        stream.on("data", () => rows++);
        await new Promise((resolve, reject) => stream.on("end", resolve).on("error", reject));
        assert.equal(rows, 50);
      });
      assert.deepEqual(names, ["item 1", "item 2"]);
      assert.deepEqual(
        calls.map(({ name, attributes }) => [name, attributes["db.query.text"]]),
        [
          ["SELECT items", "SELECT name FROM items WHERE id = ?"],
          ["SELECT items", "SELECT name FROM items WHERE name = ?"],
          ["SELECT items", "SELECT name FROM items WHERE id < ?"],
          ["SELECT", "SELECT ?"],
          ["SELECT items", "SELECT name FROM items"],
        ],
      );
      assert.deepEqual(calls[0]?.attributes, {
        "db.system.name": "mysql",
        "db.namespace": "stock",
        "server.address": "127.0.0.1",
        "server.port": Number(port),
        "db.operation.name": "SELECT",
        "db.collection.name": "items",
        "db.query.text": "SELECT name FROM items WHERE id = ?",
      });
      assert.doesNotMatch(app.sent, /canary/);
    });

    test("requests at the same time keep their own queries, with more of them than connections", async (t) => {
      const app = await RecordedApp.start(t, "obfuscated");
      const pool = mysql.createPool({ ...options, connectionLimit: 5 });
      t.after(() => promised(pool, "end")());
      const query = promised(pool, "query");
      const recorded = await app.requests(CONCURRENT, async (tag) => {
        await Promise.all([query(`SELECT 1 AS ${tag}_a`), query(`SELECT 1 AS ${tag}_b`)]);
        const connection = (await promised(pool, "getConnection")()) as Record<string, unknown>;
        await promised(connection, "query")(`SELECT 1 AS ${tag}_c`);
        (connection["release"] as () => void)();
        await new Promise((resolve) =>
          pool.query(`SELECT 1 AS ${tag}_d`, () => resolve(query(`SELECT 1 AS ${tag}_e`))),
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
      const { query } = open(t);
      const victim = open(t);
      const late = open(t);
      const { calls } = await app.request(async () => {
        const error = (await failureOf(() => query("SELECT * FROM nowhere WHERE a = 'canary'"))) as {
          code: string;
        };
        assert.equal(error.code, "ER_NO_SUCH_TABLE");
        await failureOf(() => late.query({ sql: "SELECT SLEEP(1)", timeout: 50 }));
        const [{ id }] = (await victim.query("SELECT CONNECTION_ID() AS id")) as [{ id: number }];
        const waiting = failureOf(() => victim.query("SELECT SLEEP(10)"));
        await query("KILL ?", [id]);
        await waiting;
      });
      const failed = calls.filter(({ hasError }) => hasError);
      assert.equal(calls.length, 5);
      assert.deepEqual(
        failed.map(({ attributes }) => [attributes["db.query.text"], attributes["error.type"]]).slice(0, 2),
        [
          ["SELECT * FROM nowhere WHERE a = ?", "ER_NO_SUCH_TABLE"],
          ["SELECT SLEEP(?)", "PROTOCOL_SEQUENCE_TIMEOUT"],
        ],
      );
      assert.equal(failed.length, 3);
      assert.equal(failed[2]?.attributes["db.query.text"], "SELECT SLEEP(?)");
      assert.doesNotMatch(app.sent, /canary/);
    });
  });

describe("mysql2/promise", { skip: servers.skip }, () => {
  test("queries and prepared statements of connections and pools have spans; their errors are the driver's", async (t) => {
    const app = await RecordedApp.start(t, "obfuscated");
    const mysql = require("mysql2/promise");
    const pool = mysql.createPool({ ...options, connectionLimit: 3 });
    t.after(() => pool.end());
    const recorded = await app.requests(CONCURRENT, async (tag) => {
      const [rows] = await pool.execute(`SELECT id AS ${tag}_a FROM items WHERE id = ?`, [7]);
      assert.deepEqual(rows, [{ [`${tag}_a`]: 7 }]);
      const connection = await pool.getConnection();
      await connection.query(`SELECT 1 AS ${tag}_b`).finally(() => connection.release());
      const error = (await failureOf(() => pool.execute(`SELECT ${tag}_c FROM nowhere`))) as { code: string };
      assert.equal(error.code, "ER_NO_SUCH_TABLE");
    });
    for (const [tag, { calls }] of recorded)
      assert.deepEqual(
        calls.map(({ attributes }) => [attributes["db.query.text"], attributes["error.type"]]),
        [
          [`SELECT id AS ${tag}_a FROM items WHERE id = ?`, undefined],
          [`SELECT ? AS ${tag}_b`, undefined],
          [`SELECT ${tag}_c FROM nowhere`, "ER_NO_SUCH_TABLE"],
        ],
      );
  });
});
