import assert from "node:assert/strict";
import { test } from "node:test";
import { carriedHref, changedHref, choice, rangeOf } from "./url-state.ts";

test("a page without a range shows the last thirty minutes", () => {
  assert.deepEqual(rangeOf(new URLSearchParams("")), { from: "now-30m", to: "now" });
  assert.deepEqual(rangeOf(new URLSearchParams("from=now-3h")), { from: "now-3h", to: "now" });
});

test("links carry the range along and leave the page's own state behind", () => {
  const search = new URLSearchParams("from=now-3h&to=now&sort=errors&q=a");
  assert.equal(carriedHref("/hosts", search), "/hosts?from=now-3h&to=now");
  assert.equal(carriedHref("/hosts", search, { sel: "x y" }), "/hosts?from=now-3h&to=now&sel=x+y");
  assert.equal(carriedHref("/", new URLSearchParams()), "/");
});

test("changing one parameter keeps the others", () => {
  const search = new URLSearchParams("from=now-3h&sort=errors");
  assert.equal(changedHref("/a", search, { sort: "slowest" }), "/a?from=now-3h&sort=slowest");
  assert.equal(changedHref("/a", search, { sort: null, from: null }), "/a");
  assert.equal(
    changedHref("/a", search, { from: "2026-11-23T08:00:00Z" }),
    "/a?from=2026-11-23T08:00:00Z&sort=errors",
  );
});

test("an unknown choice falls back to the first", () => {
  const kinds = ["web", "background", "all"] as const;
  assert.equal(choice(new URLSearchParams("kind=all"), "kind", kinds), "all");
  assert.equal(choice(new URLSearchParams("kind=<script>"), "kind", kinds), "web");
  assert.equal(choice(new URLSearchParams(""), "kind", kinds), "web");
});
