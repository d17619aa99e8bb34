import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { StoreError } from "../store-error.ts";
import { unpackedRows, withHistogramsSql } from "./packed-rows.ts";
import { QueryGate } from "./query-gate.ts";

/** Runs for minutes unless interrupted. */
const ENDLESS = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range < 0";

describe("queries", () => {
  let instance: DuckDBInstance;
  before(async () => {
    instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  });
  after(() => instance.closeSync());

  const gate = async (changes: { timeoutMs?: number; maxWaiting?: number } = {}): Promise<QueryGate> =>
    new QueryGate([await instance.connect()], { timeoutMs: 60_000, maxWaiting: 1, ...changes });
  const failsWith = (code: string) => (error: unknown) => error instanceof StoreError && error.code === code;

  test("a query that takes too long is interrupted, and its connection serves the next one", async () => {
    const queries = await gate({ timeoutMs: 2_000 });
    await assert.rejects(queries.run(ENDLESS, {}), failsWith("TIMEOUT"));
    assert.deepEqual(unpackedRows(await queries.run("SELECT $n::DOUBLE AS n", { n: 4 })), [{ n: 4 }]);
    await queries.close();
  });

  test("others wait in line, and are sent away when the line is full", async () => {
    const queries = await gate({ timeoutMs: 100 });
    const first = assert.rejects(queries.run(ENDLESS, {}), failsWith("TIMEOUT"));
    const second = queries.run("SELECT 2::DOUBLE AS n", {});
    await assert.rejects(queries.run("SELECT 3", {}), failsWith("BUSY"));
    await first;
    assert.deepEqual(unpackedRows(await second), [{ n: 2 }]);
    await queries.close();
  });

  test("who leaves takes his queries with him: what waits never begins, what runs is interrupted", async () => {
    const queries = await gate();
    const [first, second] = [new AbortController(), new AbortController()];
    const running = assert.rejects(queries.run(ENDLESS, {}, { left: first.signal }), failsWith("CANCELLED"));
    const waiting = assert.rejects(queries.run(ENDLESS, {}, { left: second.signal }), failsWith("CANCELLED"));
    await new Promise(setImmediate);
    second.abort();
    await waiting;
    first.abort();
    await running;
    await assert.rejects(queries.run("SELECT 1", {}, { left: first.signal }), failsWith("CANCELLED"));
    const served = await queries.run("SELECT 5::DOUBLE AS n", {}, { left: new AbortController().signal });
    assert.deepEqual(unpackedRows(served), [{ n: 5 }]);
    await queries.close();
  });

  test("who came first is served first, whatever he asks later; nobody's go before", async () => {
    const queries = await gate({ timeoutMs: 100, maxWaiting: 10 });
    const served: string[] = [];
    const ask = async (turn: number | undefined, name: string): Promise<void> => {
      await queries.run("SELECT 1", {}, turn === undefined ? {} : { turn });
      served.push(name);
    };
    const first = assert.rejects(queries.run(ENDLESS, {}, { turn: 3 }), failsWith("TIMEOUT"));
    const waiting = [
      ask(9, "9, first"),
      ask(5, "5, first"),
      ask(9, "9, second"),
      ask(undefined, "nobody's"),
      ask(5, "5, second"),
    ];
    await Promise.all([first, ...waiting]);
    assert.deepEqual(served, ["nobody's", "5, first", "5, second", "9, first", "9, second"]);
    await queries.close();
  });

  test("histograms that would take too much memory are refused", async () => {
    const queries = await gate();
    const rows = (n: number) =>
      `SELECT 1 AS g, range(1000)::USMALLINT[] AS buckets, range(1000)::DOUBLE[] AS counts FROM range(${n})`;
    const sql = (n: number) =>
      withHistogramsSql({ rows: rows(n), group: "g", sums: "count(*)::DOUBLE AS n", order: "g" });
    await assert.rejects(queries.run(sql(20_001), {}), failsWith("TIMEOUT"));
    const [row] = unpackedRows(await queries.run(sql(100), {}));
    assert.deepEqual(row?.["n"], 100);
    await queries.close();
  });

  test("closing interrupts what runs and refuses what waits", async () => {
    const queries = await gate();
    const running = assert.rejects(queries.run(ENDLESS, {}), /interrupt/i);
    const waiting = assert.rejects(queries.run("SELECT 1", {}), failsWith("UNAVAILABLE"));
    await new Promise(setImmediate);
    await queries.close();
    await Promise.all([running, waiting]);
  });

  test("a wrong query fails as what it is", async () => {
    const queries = await gate();
    await assert.rejects(queries.run("SELECT nothing", {}), /nothing/);
    await queries.close();
  });
});
