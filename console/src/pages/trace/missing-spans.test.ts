import assert from "node:assert/strict";
import { test } from "node:test";
import type { TraceAnswer, TraceRow, TraceSpan } from "../../data/answers.ts";
import { withMissing } from "./missing-spans.ts";
import { spanRows } from "./span-rows.ts";

function span(spanId: string, parentSpanId: string | null, instance = "i1"): TraceSpan {
  return {
    spanId,
    parentSpanId,
    app: "shop",
    host: "web-1",
    instance,
    name: spanId,
    kind: "internal",
    category: "internal",
    startUnixMs: 0,
    durationMs: 1,
    error: false,
    attributes: {},
    events: [],
    statusMessage: null,
  };
}

function root(rootSpanId: string, spans: number, instance = "i1"): TraceRow {
  return {
    traceId: "t",
    rootSpanId,
    app: "shop",
    host: "web-1",
    instance,
    action: "GET /",
    kind: "web",
    startUnixMs: 0,
    durationMs: 1,
    status: 200,
    error: false,
    spans,
    reason: "slow",
  };
}

function shown(roots: TraceRow[], spans: TraceSpan[]): string[] {
  const trace: TraceAnswer = { traceId: "t", startUnixMs: 0, durationMs: 1, roots, spans };
  return withMissing(spanRows(spans, new Set()), trace).map((row) =>
    row.type === "missing"
      ? `${row.depth} ${row.count} ${row.reason}`
      : `${row.depth} ${row.type === "span" ? row.span.spanId : row.name}`,
  );
}

test("a whole trace has no such row", () => {
  assert.deepEqual(shown([root("a", 2)], [span("a", null), span("b", "a")]), ["0 a", "1 b"]);
});

test("spans that did not come stand below the entry of their process", () => {
  const roots = [root("a", 5), root("c", 1, "i2")];
  const spans = [span("a", null), span("b", "a"), span("c", "b", "i2")];
  assert.deepEqual(shown(roots, spans), ["0 a", "1 3 lost", "1 b", "2 c"]);
});

test("beyond what a host keeps the limit is the reason", () => {
  const spans = [span("a", null), ...Array.from({ length: 1_999 }, (_, i) => span(`s${i}`, "a"))];
  assert.equal(shown([root("a", 2_345)], spans)[1], "1 345 limit");
  assert.equal(shown([root("a", 2_344)], spans.slice(1).concat(span("a", null)).slice(1))[1], "1 345 lost");
});

test("a parent that is only named stands before its children, once; a caller's part was not kept", () => {
  const spans = [span("a", "far"), span("b", "gone"), span("c", "gone")];
  assert.deepEqual(shown([root("a", 3)], spans), ["0 1 caller", "0 a", "0 1 parent", "0 b", "0 c"]);
});
