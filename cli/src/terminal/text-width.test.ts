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

test("signs that every page has are one cell each, and what joins letters is none of its own", () => {
  for (const text of ["● ok · 12 ms – 3 × █▌│└ …", "Ärger", "naïve café", "→ ↑", "½"])
    assert.equal(textWidth(text), text.length, text);
  assert.equal(textWidth("e\u0301a"), 2);
  assert.equal(textWidth("◾"), 2);
  assert.equal(cutText("e\u0301a\u0308b", 2), "e\u0301…");
});
