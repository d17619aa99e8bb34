import assert from "node:assert/strict";
import { test } from "node:test";
import { UntakenBounds } from "./untaken-bounds.ts";

test("nothing is known before it was looked up, and what is added counts from then on", async () => {
  const bounds = new UntakenBounds();
  bounds.noteAdded("rows", 50);
  assert.equal(bounds.firstSec("hours of rows", "rows"), 0);
  await bounds.learn(async () => new Map([["hours of rows", 100]]));
  assert.equal(bounds.firstSec("hours of rows", "rows"), 100);
  assert.equal(bounds.firstSec("days of rows", "rows"), 0);
  bounds.noteAdded("rows", 200);
  bounds.noteAdded("rows", 70);
  bounds.noteAdded("others", 1);
  assert.equal(bounds.firstSec("hours of rows", "rows"), 70);
  await bounds.learn(async () => new Map([["hours of rows", Number.POSITIVE_INFINITY]]));
  assert.equal(bounds.firstSec("hours of rows", "rows"), Number.POSITIVE_INFINITY);
});

test("what is added while it is looked up counts before and after", async () => {
  const bounds = new UntakenBounds();
  await bounds.learn(async () => new Map([["w", 100]]));
  bounds.noteAdded("rows", 90);
  await bounds.learn(async () => {
    bounds.noteAdded("rows", 80);
    assert.equal(bounds.firstSec("w", "rows"), 80);
    return new Map([["w", 300]]);
  });
  assert.equal(bounds.firstSec("w", "rows"), 80);
});

test("when it could not be looked up, the earlier answer stays with all that was added", async () => {
  const bounds = new UntakenBounds();
  await bounds.learn(async () => new Map([["w", 100]]));
  bounds.noteAdded("rows", 90);
  await assert.rejects(
    bounds.learn(async () => {
      bounds.noteAdded("rows", 95);
      throw new Error("not now");
    }),
    /not now/,
  );
  assert.equal(bounds.firstSec("w", "rows"), 90);
  await bounds.learn(async () => new Map([["w", 100]]));
  assert.equal(bounds.firstSec("w", "rows"), 100);
});
