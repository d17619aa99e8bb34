import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import * as fc from "fast-check";
import { LinkedTracer } from "../test-support/linked-tracer.ts";
import { parseTraceparent, TraceContextPropagator } from "./trace-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

const WRONG: string[] = [
  "",
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-01-more`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${"0".repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-1`,
  `00-${TRACE}${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01,00-${TRACE}-${SPAN}-01`,
];

for (const header of WRONG) {
  test(`traceparent ${JSON.stringify(header)} is refused`, () => {
    assert.equal(parseTraceparent(header, ""), null);
  });
}

test("a later version may carry more", () => {
  assert.equal(parseTraceparent(`01-${TRACE}-${SPAN}-01-more`, "")?.traceId, TRACE);
});

test("what is injected is extracted again, with tracestate", () => {
  const { tracer } = new LinkedTracer("/nowhere");
  const propagator = new TraceContextPropagator();
  const incoming = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: "a=1,b=2" };
  const context = propagator.extract(ROOT_CONTEXT, incoming, defaultTextMapGetter);
  const span = tracer.startSpan("s", {}, context);
  const outgoing: Record<string, string> = {};
  propagator.inject(trace.setSpan(context, span), outgoing, defaultTextMapSetter);
  assert.deepEqual(outgoing, {
    traceparent: `00-${TRACE}-${span.spanContext().spanId}-01`,
    tracestate: "a=1,b=2",
  });
});

test("a context without a span injects nothing", () => {
  const outgoing: Record<string, string> = {};
  new TraceContextPropagator().inject(ROOT_CONTEXT, outgoing, defaultTextMapSetter);
  assert.deepEqual(outgoing, {});
});

test("no header makes it throw", () => {
  const propagator = new TraceContextPropagator();
  fc.assert(
    fc.property(fc.string(), fc.string(), (traceparent, tracestate) => {
      propagator.extract(ROOT_CONTEXT, { traceparent, tracestate }, defaultTextMapGetter);
    }),
  );
});

test("ids of 100,000 spans are all different", () => {
  const { tracer } = new LinkedTracer("/nowhere");
  const ids = new Set<string>();
  for (let i = 0; i < 100_000; i++) ids.add(tracer.startSpan("s").spanContext().spanId);
  assert.equal(ids.size, 100_000);
});
