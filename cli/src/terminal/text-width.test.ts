import assert from "node:assert/strict";
import { test } from "node:test";
import { cutText, textWidth } from "./text-width.ts";

test("a text that fits stays whole; one that does not ends in … within its cells", () => {
  assert.equal(cutText("abcd", 4), "abcd");
  assert.equal(cutText("abcde", 4), "abc…");
  assert.equal(cutText("abcde", 1), "…");
  assert.equal(cutText("abcde", 0), "");
  assert.equal(cutText("", 3), "");
});

test("wide letters count two cells, and none is cut in half", () => {
  assert.equal(cutText("订单查询", 8), "订单查询");
  assert.equal(cutText("订单查询", 7), "订单查…");
  assert.equal(cutText("订单查询", 6), "订单…");
  for (let cells = 1; cells < 9; cells++) assert.ok(textWidth(cutText("a订b单c", cells)) <= cells);
});
