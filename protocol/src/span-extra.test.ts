import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseSpanExtra, type SpanExtra } from "./span-extra.ts";

const whole: SpanExtra = {
  statusMessage: "connection refused",
  events: [
    {
      name: "exception",
      offsetNs: 5,
      attributes: { "exception.type": "Error", retries: 2, list: ["a", null] },
    },
  ],
  links: [
    {
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      spanId: "00f067aa0ba902b7",
      attributes: { sampled: true },
    },
    { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b8" },
  ],
  attributes: { "user.id": 7, score: 0.5 },
  droppedAttributes: 3,
};

test("all that a span may have beside its shape is read", () => {
  assert.deepEqual(parseSpanExtra(JSON.stringify(whole)), whole);
  assert.deepEqual(parseSpanExtra(""), {});
});

test("what is no JSON object reads as nothing", () => {
  for (const text of ["{", "null", "[]", "1", '"x"', "[".repeat(100_000)])
    assert.deepEqual(parseSpanExtra(text), {});
});

test("parts of the wrong kind are left out, the rest is kept", () => {
  const read = (value: unknown): SpanExtra => parseSpanExtra(JSON.stringify(value));
  assert.deepEqual(read({ ...whole, events: {}, links: "x", attributes: [1], droppedAttributes: -1 }), {
    statusMessage: "connection refused",
  });
  assert.deepEqual(read({ statusMessage: { toString: 1 }, events: [null, 1, "x", [], {}, { name: 1 }] }), {
    events: [],
  });
  assert.deepEqual(
    read({
      events: [
        { name: "e", offsetNs: "1", attributes: null },
        { name: "f", offsetNs: -1 },
      ],
    }),
    {
      events: [
        { name: "e", offsetNs: 0, attributes: {} },
        { name: "f", offsetNs: 0, attributes: {} },
      ],
    },
  );
  assert.deepEqual(
    read({ links: [null, { traceId: "../../etc", spanId: "x" }, { traceId: "a".repeat(32) }] }),
    { links: [] },
  );
});

test("attributes are values of OpenTelemetry's API only, however deep the JSON", () => {
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  const read = parseSpanExtra(
    `{"attributes":{"deep":${deep},"object":{"a":1},"null":null,"ok":[1,"a",true,null]}}`,
  );
  assert.deepEqual(read, { attributes: { ok: [1, "a", true, null] } });
});

test("prototype keys are keys like others", () => {
  const read = parseSpanExtra('{"__proto__":{"statusMessage":"x"},"attributes":{"__proto__":"y"}}');
  assert.deepEqual(Object.keys(read), ["attributes"]);
  assert.deepEqual(Object.entries(read.attributes ?? {}), [["__proto__", "y"]]);
  assert.equal(Object.getPrototypeOf(read.attributes), Object.prototype);
});

test("whatever the JSON, the answer can be walked as its type says, and read again", () => {
  const keys = fc.constantFrom(
    "statusMessage",
    "events",
    "links",
    "attributes",
    "droppedAttributes",
    "name",
    "__proto__",
  );
  const any = fc.jsonValue({ maxDepth: 2 });
  const object = fc.dictionary(keys, fc.oneof(any, fc.array(fc.dictionary(keys, any))));
  fc.assert(
    fc.property(object, (value) => {
      const read = parseSpanExtra(JSON.stringify(value));
      for (const event of read.events ?? [])
        assert.equal(typeof event.name.length + typeof event.attributes, "numberobject");
      for (const link of read.links ?? []) assert.equal(link.traceId.length + link.spanId.length, 48);
      assert.deepEqual(parseSpanExtra(JSON.stringify(read)), read);
    }),
    { numRuns: 400 },
  );
});
