import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mergeHistograms } from "@apm-daemon/protocol";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { type PackedRows, packedRows, transferable, unpackedRows, withHistogramsSql } from "./packed-rows.ts";

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

test("rows come out as DuckDB's own conversion makes them", async () => {
  const sql = `SELECT * FROM (VALUES
    (1::DOUBLE, 'a', NULL, [1, 2]::USMALLINT[], ['x', 'y'], 'ab'::BLOB, true),
    (NULL, 'b', 7::UINTEGER, NULL, NULL, NULL, false),
    (3::DOUBLE, NULL, 0::UINTEGER, [65535]::USMALLINT[], [], ''::BLOB, NULL))
    AS t(a, b, c, numbers, texts, bytes, flag)`;
  const plain = (await connection.runAndReadAll(sql)).getRowObjectsJS();
  assert.deepEqual(await handedOver(sql), structuredClone(plain));
  assert.deepEqual((plain[1] as { numbers: unknown }).numbers, null);
  assert.deepEqual(await handedOver("SELECT 1 AS one WHERE false"), []);
});

test("histograms of a group are one, in the order that was asked for, and none is an empty one", async () => {
  const rows = 9_000;
  const sql = (limit: string) =>
    withHistogramsSql({
      rows: `SELECT (i // 3)::DOUBLE AS g, i, list_transform(range(i % 4), x -> (x * 7 + i % 3)::USMALLINT) AS buckets,
        list_transform(range(i % 4), x -> (x + 1)::DOUBLE) AS counts FROM range(${rows}) AS t(i)`,
      group: "g",
      sums: "sum(i)::DOUBLE AS s",
      order: "g DESC",
      limit,
    });
  const expected = Array.from({ length: rows / 3 }, (_, g) => ({
    g,
    s: 9 * g + 3,
    histogram: mergeHistograms(
      [3 * g, 3 * g + 1, 3 * g + 2].map((i) => {
        const cells = Array.from({ length: i % 4 }, (_, x) => x);
        return { buckets: cells.map((x) => x * 7 + (i % 3)), counts: cells.map((x) => x + 1) };
      }),
    ),
  })).toReversed();
  assert.deepEqual(await handedOver(sql("1e9")), expected);
  assert.deepEqual(await handedOver(sql("5")), expected.slice(0, 5));
  assert.deepEqual(await handedOver(sql("0")), []);
});

test("of each value the first groups come", async () => {
  const sql = withHistogramsSql({
    rows: "SELECT i % 2 AS half, i::DOUBLE AS g, []::USMALLINT[] AS buckets, []::DOUBLE[] AS counts FROM range(10) AS t(i)",
    group: "half, g",
    sums: "count(*)::DOUBLE AS n",
    order: "g DESC",
    limit: "2",
    per: "half",
  });
  const found = (await handedOver(sql)) as { g: number }[];
  assert.deepEqual(
    found.map(({ g }) => g),
    [9, 8, 7, 6],
  );
});

test("the highest bucket and the highest count keep their values", async () => {
  const rows = "SELECT 1 AS g, [3, 65535]::USMALLINT[] AS buckets, [1, 9007199254740991]::DOUBLE[] AS counts";
  const sql = withHistogramsSql({ rows, group: "g", sums: "count(*)::DOUBLE AS n", order: "g" });
  const histogram = { buckets: [3, 65_535], counts: [1, Number.MAX_SAFE_INTEGER] };
  assert.deepEqual(await handedOver(sql), [{ g: 1, n: 1, histogram }]);
});
