import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedQueries } from "./shared-queries.ts";

/** Queries that end when told to. */
function queries() {
  const runs: { sql: string; end: (name: string) => void; fail: () => void; left: AbortSignal }[] = [];
  const shared = new SharedQueries(
    (sql, _values, left) =>
      new Promise((resolve, reject) => {
        const fail = (): void => reject(new Error("broken"));
        runs.push({ sql, left, end: (name) => resolve([{ name }]), fail });
      }),
  );
  return { shared, runs };
}

test("the same at the same time is run once; other values, and what comes later, run again", async () => {
  const { shared, runs } = queries();
  const same = [shared.query("a", { x: 1 }, undefined), shared.query("a", { x: 1 }, undefined)];
  const other = shared.query("a", { x: 2 }, undefined);
  assert.equal(runs.length, 2);
  runs[0]?.end("first");
  runs[1]?.end("second");
  assert.deepEqual(await Promise.all(same), [[{ name: "first" }], [{ name: "first" }]]);
  assert.deepEqual(await other, [{ name: "second" }]);
  const later = shared.query("a", { x: 1 }, undefined);
  assert.equal(runs.length, 3);
  runs[2]?.fail();
  await assert.rejects(later, /broken/);
});

test("after a write nobody gets what began before it", async () => {
  const { shared, runs } = queries();
  const before = shared.query("a", {}, undefined);
  shared.forget();
  const after = shared.query("a", {}, undefined);
  const joined = shared.query("a", {}, undefined);
  runs[0]?.end("old");
  runs[1]?.end("new");
  assert.deepEqual(
    [await before, await after, await joined].map(([row]) => row?.["name"]),
    ["old", "new", "new"],
  );
  assert.equal(runs.length, 2);
});

test("who leaves is told at once; the query goes on for others and is interrupted with the last", async () => {
  const { shared, runs } = queries();
  const [one, two] = [new AbortController(), new AbortController()];
  const first = shared.query("a", {}, one.signal);
  const second = shared.query("a", {}, two.signal);
  one.abort();
  await assert.rejects(first, { code: "CANCELLED" });
  assert.equal(runs[0]?.left.aborted, false);
  two.abort();
  await assert.rejects(second, { code: "CANCELLED" });
  assert.equal(runs[0]?.left.aborted, true);
  const again = shared.query("a", {}, undefined);
  assert.equal(runs.length, 2, "what is being interrupted is joined by nobody");
  runs[1]?.end("again");
  assert.deepEqual(await again, [{ name: "again" }]);
});
