import assert from "node:assert/strict";
import { test } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { temporaryFolder } from "../../testing/running-collector.ts";
import { identifier } from "./column-types.ts";
import { FileSet } from "./file-set.ts";
import { rowsOf } from "./sql-parts.ts";
import type { StoreFile } from "./store-file.ts";

const DAYS = ["2026-11-21", "2026-11-22", "2026-11-23"] as const;
const dayStart = (day: string): number => Date.parse(day) / 1_000;

test("a query of a time names the files that may have rows of it, late rows' among them", async (t) => {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  t.after(() => instance.closeSync());
  const { files } = await FileSet.open(connection, temporaryFolder(), () => undefined);
  const hot: StoreFile[] = [];
  for (const day of DAYS) hot.push(await files.ensure("hot", day));
  files.setWritten(hot[2] as StoreFile);
  const query = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJS();
  const add = async (file: StoreFile | undefined, tsSec: number): Promise<void> => {
    await connection.run(
      `INSERT INTO ${identifier(file?.catalog ?? "")}.main.errors BY NAME SELECT ${tsSec}::UINTEGER AS ts_s, 'shop' AS app`,
    );
  };
  for (const [i, day] of DAYS.entries()) await add(hot[i], dayStart(day) + 100);
  // Arrived a day late.
  await add(hot[1], dayStart(DAYS[0]) + 50_000);
  /** Days of the files that a query of errors names. */
  const named = (fromSec: number, toSec: number): string[] => {
    const sql = files.withRows(`SELECT * FROM ${rowsOf("errors", { fromSec, toSec })}`);
    return hot.filter(({ catalog }) => sql.includes(catalog)).map(({ period }) => period);
  };
  const firstDay = dayStart(DAYS[0]);
  assert.deepEqual(named(firstDay, firstDay + 1_000), [...DAYS], "before anything is known");
  await files.learnBounds(query);
  assert.deepEqual(named(firstDay, firstDay + 1_000), [DAYS[0]]);
  assert.deepEqual(named(firstDay + 40_000, firstDay + 60_000), [DAYS[1]]);
  assert.deepEqual(named(firstDay + 40_000, firstDay + 3 * 86_400), [DAYS[1], DAYS[2]]);
  // One arm tells the columns of no rows.
  assert.equal(named(firstDay - 5_000, firstDay - 4_000).length, 1);
  // Two days late, to the file that is written to.
  await add(hot[2], firstDay + 500);
  files.noteAdded("errors", firstDay + 500);
  assert.deepEqual(named(firstDay, firstDay + 1_000), [DAYS[0], DAYS[2]]);
  await files.learnBounds(query);
  assert.deepEqual(named(firstDay, firstDay + 1_000), [DAYS[0], DAYS[2]]);
  assert.deepEqual(named(firstDay, firstDay + 400), [DAYS[0]]);
  for (const [fromSec, toSec, count] of [
    [0, 4_294_967_295, 5],
    [firstDay, firstDay + 60_000, 3],
    [firstDay - 5_000, firstDay - 4_000, 0],
  ] as const) {
    const where = `ts_s >= ${fromSec} AND ts_s < ${toSec}`;
    const sql = `SELECT count(*)::DOUBLE AS n FROM ${rowsOf("errors", { fromSec, toSec })} WHERE ${where}`;
    assert.deepEqual(await query(files.withRows(sql)), [{ n: count }]);
  }
  // The file of the next day: now nothing more comes to the one before it.
  hot.push(await files.ensure("hot", "2026-11-24"));
  files.setWritten(hot[3] as StoreFile);
  await files.learnBounds(query);
  assert.deepEqual(named(firstDay, firstDay + 1_000), [DAYS[0], DAYS[2]]);
  files.noteAdded("errors", firstDay + 500);
  assert.deepEqual(named(firstDay, firstDay + 1_000), [DAYS[0], DAYS[2], "2026-11-24"]);
  assert.throws(() => files.withRows("SELECT * FROM rows_of(nothing, 0, 1)"), /there is no view nothing/);
});

test("rows of a window that was reported later are found by the window's time", async (t) => {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  t.after(() => instance.closeSync());
  const { files } = await FileSet.open(connection, temporaryFolder(), () => undefined);
  const first = await files.ensure("hot", DAYS[0]);
  files.setWritten(await files.ensure("hot", DAYS[1]));
  const query = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJS();
  const sealedSec = dayStart(DAYS[0]) + 19;
  await connection.run(
    `INSERT INTO ${identifier(first.catalog)}.main.apps BY NAME SELECT ${sealedSec}::UINTEGER AS ts_s, 'shop' AS app`,
  );
  await files.learnBounds(query);
  const range = { fromSec: dayStart(DAYS[0]), toSec: dayStart(DAYS[0]) + 10 };
  const sql = `SELECT ts_s::DOUBLE AS ts FROM ${rowsOf("apps_raw", range)} WHERE ts_s >= ${range.fromSec} AND ts_s < ${range.toSec}`;
  assert.deepEqual(await query(files.withRows(sql)), [{ ts: range.fromSec }]);
});

test("of several files of one day, and with one of a day that is still to come, the file that is written to is always looked into", async (t) => {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  t.after(() => instance.closeSync());
  const folder = temporaryFolder();
  const { files } = await FileSet.open(connection, folder, () => undefined);
  const first = await files.ensure("hot", DAYS[1], 0);
  const second = await files.ensure("hot", DAYS[1], 1);
  const ahead = await files.ensure("hot", DAYS[2]);
  const query = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJS();
  const range = { fromSec: dayStart(DAYS[1]), toSec: dayStart(DAYS[1]) + 1 };
  const isNamed = ({ catalog }: StoreFile): boolean =>
    files.withRows(`SELECT * FROM ${rowsOf("errors", range)}`).includes(`"${catalog}"`);
  for (const [written, others] of [
    [second, [first]],
    [first, []],
  ] as const) {
    files.setWritten(written);
    await files.learnBounds(query);
    files.noteAdded("errors", range.fromSec);
    assert.equal(isNamed(written), true, written.catalog);
    assert.equal(isNamed(ahead), true, "a note says nothing of the file");
    assert.deepEqual(
      others.map(isNamed),
      others.map(() => false),
    );
  }
});
