import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { type PackedRows, packedRows, transferable, unpackedRows } from "./packed-rows.ts";

let instance: DuckDBInstance;
let connection: DuckDBConnection;
before(async () => {
  instance = await DuckDBInstance.create(":memory:");
  connection = await instance.connect();
});
after(() => {
  connection.disconnectSync();
  instance.closeSync();
});

/** As it comes out of the other thread. */
async function handedOver(sql: string): Promise<unknown[]> {
  const packed = await packedRows(await connection.run(sql));
  return unpackedRows(structuredClone<PackedRows>(packed, { transfer: transferable(packed) }));
}

test("rows come out as DuckDB's own conversion makes them, lists of numbers among them", async () => {
  const sql = `SELECT * FROM (VALUES
    (1::DOUBLE, 'a', NULL, [1, 2]::USMALLINT[], [1.5, 3]::DOUBLE[], ['x', 'y'], 'ab'::BLOB, true),
    (NULL, 'b', 7::UINTEGER, NULL, []::DOUBLE[], NULL, NULL, false),
    (3::DOUBLE, NULL, 0::UINTEGER, [65535]::USMALLINT[], [9007199254740991]::DOUBLE[], [], ''::BLOB, NULL))
    AS t(a, b, c, buckets, counts, texts, bytes, flag)`;
  const plain = (await connection.runAndReadAll(sql)).getRowObjectsJS();
  assert.deepEqual(await handedOver(sql), structuredClone(plain));
  assert.deepEqual((plain[1] as { buckets: unknown }).buckets, null);
});

test("results of several chunks stay in order, and those without rows are empty", async () => {
  const sql = `SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE list_transform(range(i % 5), x -> (x + i)::USMALLINT) END AS buckets
    FROM range(5000) AS t(i) ORDER BY i`;
  const plain = (await connection.runAndReadAll(sql)).getRowObjectsJS();
  assert.equal(plain.length, 5_000);
  assert.deepEqual(await handedOver(sql), plain);
  assert.deepEqual(await handedOver("SELECT [1]::USMALLINT[] AS buckets WHERE false"), []);
});
