import assert from "node:assert/strict";
import { test } from "node:test";
import { Lately } from "./lately.ts";

test("an answer is found once as long as it is fresh, by key, and again after a failure", async () => {
  const lately = new Lately<number>(60_000);
  let found = 0;
  const find = async (): Promise<number> => ++found;
  assert.deepEqual(await Promise.all([lately.get("a", find), lately.get("a", find)]), [1, 1]);
  assert.equal(await lately.get("a", find), 1);
  assert.equal(await lately.get("b", find), 2);
  const failing = lately.get("c", async () => {
    throw new Error("not now");
  });
  await assert.rejects(failing, /not now/);
  assert.equal(await lately.get("c", find), 3);
});

test("an answer that is not fresh any more is found anew", async () => {
  const lately = new Lately<number>(0);
  let found = 0;
  const find = async (): Promise<number> => ++found;
  assert.equal(await lately.get("a", find), 1);
  assert.equal(await lately.get("a", find), 2);
});
