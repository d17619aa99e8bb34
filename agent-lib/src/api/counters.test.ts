import assert from "node:assert/strict";
import { test } from "node:test";
import { Counters } from "./counters.ts";

test("a hundred names are counted, the next is told of and not", () => {
  const counters = new Counters();
  let told = 0;
  counters.onTooMany = () => void told++;
  for (let i = 0; i < 100; i++) counters.counter(`c${i}`).add();
  assert.equal(told, 0);
  counters.counter("one too many").add();
  assert.equal(told, 1);
  counters.counter("c99").add();
  const { pending } = counters;
  assert.equal(Object.keys(pending ?? {}).length, 100);
  assert.equal(pending?.["c99"], 2);
});

test("names are cut and cleaned, and what was sent is not sent again", () => {
  const counters = new Counters();
  counters.counter(`a\nb${"x".repeat(300)}`).add();
  counters.counter("").add();
  assert.deepEqual(counters.pending, { [`ab${"x".repeat(252)}`]: 1, "(unnamed)": 1 });
  counters.clear();
  assert.equal(counters.pending, null);
});
