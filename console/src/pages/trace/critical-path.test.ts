import assert from "node:assert/strict";
import { test } from "node:test";
import type { TraceSpan } from "../../data/answers.ts";
import { criticalPath } from "./critical-path.ts";

function span(spanId: string, parentSpanId: string | null, startUnixMs: number, endMs: number): TraceSpan {
  return {
    spanId,
    parentSpanId,
    app: "shop",
    host: "web-1",
    instance: "i",
    name: spanId,
    kind: "internal",
    category: "internal",
    startUnixMs,
    durationMs: endMs - startUnixMs,
    error: false,
    attributes: {},
    events: [],
    statusMessage: null,
  };
}

const pathOf = (spans: TraceSpan[]): string => [...criticalPath(spans)].sort().join("");

test("one after the other, all are on the path; of those beside each other the one that ended last", () => {
  const spans = [
    span("a", null, 0, 100),
    span("b", "a", 0, 20),
    span("c", "a", 20, 90),
    span("d", "a", 20, 60),
  ];
  assert.equal(pathOf(spans), "abc");
});

test("goes down through each chosen child", () => {
  const spans = [
    span("a", null, 0, 100),
    span("b", "a", 10, 95),
    span("c", "b", 12, 50),
    span("d", "b", 50, 90),
    span("e", "d", 51, 52),
    span("x", "a", 15, 30),
    span("y", "x", 15, 29),
  ];
  assert.equal(pathOf(spans), "abcde");
});

test("what outlives its parent is on the path up to the parent's end, what begins after it is not", () => {
  const spans = [
    span("a", null, 0, 50),
    span("b", "a", 40, 90),
    span("c", "a", 60, 70),
    span("d", "a", 1, 40),
  ];
  assert.equal(pathOf(spans), "abd");
});

test("of several beginnings the longest; spans that are each other's ancestors end it", () => {
  assert.equal(pathOf([span("a", null, 0, 10), span("b", "gone", 5, 60), span("c", "b", 5, 6)]), "bc");
  assert.equal(pathOf([span("a", "b", 0, 10), span("b", "a", 0, 10)]), "");
  assert.equal(pathOf([]), "");
});
