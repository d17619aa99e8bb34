import assert from "node:assert/strict";
import { test } from "node:test";
import { isolated, isolatedText } from "./isolated.ts";

const SERIES = [{ key: "code" }, { key: "a:b,c%" }];

test("each chart has its own series alone, whatever their names", () => {
  const one = isolatedText(null, "split", "a:b,c%");
  const two = isolatedText(one, "percentiles", "p95");
  assert.equal(two, "split:a%3Ab%2Cc%25,percentiles:p95");
  assert.equal(isolated(two, "split", SERIES), "a:b,c%");
  assert.equal(isolated(two, "percentiles", [{ key: "p95" }]), "p95");
});

test("a series takes the place of the one before, and the last one leaves no parameter", () => {
  const text = isolatedText("split:code", "split", "database");
  assert.equal(text, "split:database");
  assert.equal(isolatedText(text, "split", null), null);
});

test("what the chart does not have, or is no text of ours, shows all", () => {
  for (const text of [null, "", "split", "split:gone", "split:%E0%A4%A", "other:code", "::,,"])
    assert.equal(isolated(text, "split", SERIES), null);
});
