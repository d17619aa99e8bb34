import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleHeader } from "../testing/sample-batch.ts";
import type { ReceivedBatch } from "./batch-rows.ts";
import { GroupCommit } from "./group-commit.ts";
import { StoreError } from "./store-error.ts";

function received(number: number, bytes = 1): ReceivedBatch {
  return { batch: { header: sampleHeader({ number }), frames: [] }, receivedMs: 0, bytes };
}

function numbers(batches: readonly ReceivedBatch[]): number[] {
  return batches.map(({ batch }) => batch.header.number);
}

/** Commits into a list; batches with a negative number are poison. */
function groups(changes: { maxPending?: number; maxPendingBytes?: number } = {}) {
  const attempts: number[][] = [];
  const group = new GroupCommit({
    commit: async (batches) => {
      attempts.push(numbers(batches));
      if (numbers(batches).some((number) => number < 0)) throw new Error("poison");
    },
    intervalMs: 20,
    maxGroup: 3,
    maxPending: 10,
    maxPendingBytes: 100,
    ...changes,
  });
  return { group, attempts };
}

test("batches that come together are committed together, at most so many at once", async () => {
  const { group, attempts } = groups();
  await Promise.all([1, 2, 3, 4].map((number) => group.add(received(number))));
  assert.deepEqual(attempts, [[1, 2, 3], [4]]);
});

test("lone batches are committed one after the other", async () => {
  const { group, attempts } = groups();
  for (const number of [1, 2, 3]) await group.add(received(number));
  assert.deepEqual(attempts, [[1], [2], [3]]);
});

test("batches that come while a commit runs are committed together after it", async () => {
  const { group, attempts } = groups();
  const first = group.add(received(1));
  while (attempts.length === 0) await new Promise(setImmediate);
  await Promise.all([first, group.add(received(2)), group.add(received(3))]);
  assert.deepEqual(attempts, [[1], [2, 3]]);
});

test("a bad batch fails alone", async () => {
  const { group, attempts } = groups();
  const outcomes = await Promise.allSettled([1, -2, 3].map((number) => group.add(received(number))));
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.deepEqual(attempts, [[1, -2, 3], [1], [-2], [3]]);
});

test("refuses what exceeds the limits, and takes again once there is room", async () => {
  for (const limits of [{ maxPending: 2 }, { maxPendingBytes: 2 }]) {
    const { group } = groups(limits);
    const first = [group.add(received(1)), group.add(received(2))];
    assert.throws(
      () => group.add(received(3)),
      (error) => error instanceof StoreError && error.code === "BUSY" && error.retryAfterMs > 0,
    );
    await Promise.all(first);
    await group.add(received(3));
  }
});

test("drain commits what waits without waiting for the interval", async () => {
  const { group, attempts } = groups();
  const added = [1, 2, 3, 4, 5, 6, 7].map((number) => group.add(received(number)));
  await group.drain();
  await Promise.all(added);
  assert.deepEqual(attempts.flat(), [1, 2, 3, 4, 5, 6, 7]);
});
