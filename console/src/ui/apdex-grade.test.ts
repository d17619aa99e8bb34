import assert from "node:assert/strict";
import { test } from "node:test";
import { apdexGrade } from "./apdex-grade.ts";

test("both sides of every border get their own word", () => {
  assert.equal(apdexGrade(1), "excellent");
  assert.equal(apdexGrade(0.94), "excellent");
  assert.equal(apdexGrade(0.93), "good");
  assert.equal(apdexGrade(0.85), "good");
  assert.equal(apdexGrade(0.84), "fair");
  assert.equal(apdexGrade(0.7), "fair");
  assert.equal(apdexGrade(0.69), "poor");
  assert.equal(apdexGrade(0.5), "poor");
  assert.equal(apdexGrade(0.49), "unacceptable");
  assert.equal(apdexGrade(0), "unacceptable");
});

test("the word follows the two decimals that are shown", () => {
  assert.equal(apdexGrade(0.9351), "excellent");
  assert.equal(apdexGrade(0.9349), "good");
});

test("no score has no word of praise", () => {
  assert.equal(apdexGrade(null), "none");
  assert.equal(apdexGrade(undefined), "none");
  assert.equal(apdexGrade(Number.NaN), "none");
});
