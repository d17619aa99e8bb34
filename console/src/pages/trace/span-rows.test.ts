import assert from "node:assert/strict";
import { test } from "node:test";
import type { TraceSpan } from "../../data/answers.ts";
import { axisMarks, ownTimeMs, spanRows, traceBounds } from "./span-rows.ts";

function span(
  spanId: string,
  parentSpanId: string | null,
  startUnixMs: number,
  durationMs: number,
  name = spanId,
): TraceSpan {
  return {
    spanId,
    parentSpanId,
    app: "shop",
    host: "web-1",
    instance: "i",
    name,
    kind: "internal",
    category: "internal",
    startUnixMs,
    durationMs,
    error: false,
    attributes: {},
    events: [],
    statusMessage: null,
  };
}

function shape(spans: TraceSpan[], unfolded: ReadonlySet<string> = new Set()): string[] {
  return spanRows(spans, unfolded).map((row) =>
    row.type === "span" ? `${row.depth} ${row.span.spanId}` : `${row.depth} ${row.spans.length}x${row.name}`,
  );
}

test("children stand below their parent by start", () => {
  const spans = [
    span("c", "a", 20, 5),
    span("a", null, 0, 100),
    span("b", "a", 10, 5),
    span("d", "b", 11, 2),
  ];
  assert.deepEqual(shape(spans), ["0 a", "1 b", "2 d", "1 c"]);
});

test("four like siblings fold, three do not, and a fold opens", () => {
  const four = [1, 2, 3, 4].map((n) => span(`q${n}`, "a", n, 1, "SELECT"));
  const root = span("a", null, 0, 100);
  assert.deepEqual(shape([root, ...four.slice(1)]), ["0 a", "1 q2", "1 q3", "1 q4"]);
  assert.deepEqual(shape([root, ...four]), ["0 a", "1 4xSELECT"]);
  assert.deepEqual(shape([root, ...four], new Set(["fold q1"])), ["0 a", "1 q1", "1 q2", "1 q3", "1 q4"]);
});

test("a span with children never disappears into a fold", () => {
  const like = [1, 2, 3, 4, 5].map((n) => span(`q${n}`, "a", n, 1, "GET"));
  const rows = shape([span("a", null, 0, 100), ...like, span("inner", "q3", 3, 1)]);
  assert.deepEqual(rows, ["0 a", "1 q1", "1 q2", "1 q3", "2 inner", "1 q4", "1 q5"]);
});

test("a span whose parent is missing stands at the top and is marked", () => {
  const [row] = spanRows([span("x", "gone", 0, 1)], new Set());
  assert.ok(row?.type === "span" && row.isOrphan && row.depth === 0);
});

test("a circle of parents and a very deep trace end", () => {
  assert.equal(shape([span("a", "b", 0, 1), span("b", "a", 0, 1)]).length <= 2, true);
  assert.deepEqual(shape([span("self", "self", 0, 1)]), ["0 self"]);
  const deep = Array.from({ length: 20_000 }, (_, n) => span(`s${n}`, n === 0 ? null : `s${n - 1}`, n, 1));
  assert.equal(shape(deep).length, 20_000);
});

test("own time leaves out overlapping children once and what they do outside of the parent", () => {
  const parent = span("a", null, 0, 100);
  const children = [span("b", "a", 10, 30), span("c", "a", 20, 30), span("d", "a", 90, 50)];
  assert.equal(ownTimeMs(parent, [parent, ...children]), 50);
  assert.equal(ownTimeMs(parent, [parent]), 100);
});

test("bounds reach from the first start to the last end", () => {
  assert.deepEqual(traceBounds([span("a", null, 5, 10), span("b", "a", 3, 1), span("c", "a", 14, 9)]), {
    startMs: 3,
    endMs: 23,
  });
  assert.deepEqual(traceBounds([]), { startMs: 0, endMs: 0 });
});

test("axis marks are round and few", () => {
  assert.deepEqual(axisMarks(100), [0, 20, 40, 60, 80, 100]);
  assert.deepEqual(axisMarks(1380), [0, 500, 1000]);
  assert.deepEqual(axisMarks(0), [0]);
});

test("a span with more children than a call has arguments is drawn", () => {
  const children = Array.from({ length: 200_000 }, (_, n) => span(`c${n}`, "a", n, 1, `name ${n}`));
  assert.equal(shape([span("a", null, 0, 1), ...children]).length, 200_001);
});
