import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldTop } from "./held-top.ts";

test("an axis grows at once, and shrinks after ten seconds to what was needed in them", () => {
  const held = new HeldTop();
  assert.equal(held.next(100, 0), 100);
  assert.equal(held.next(500, 1000), 500);
  assert.equal(held.next(80, 2000), 500);
  assert.equal(held.next(120, 5000), 500);
  assert.equal(held.next(70, 10_999), 500);
  assert.equal(held.next(70, 11_000), 120);
  assert.equal(held.next(70, 12_000), 120);
  assert.equal(held.next(70, 21_000), 70);
});

test("what is needed again holds the axis for another ten seconds", () => {
  const held = new HeldTop();
  held.next(100, 0);
  held.next(50, 9000);
  assert.equal(held.next(100, 9500), 100);
  assert.equal(held.next(50, 19_000), 100);
  assert.equal(held.next(50, 19_500), 50);
});
