import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSpans } from "@apm-daemon/protocol";
import { FrameWriter, KIND, spanId } from "../testing/frame-writer.ts";
import { errorGroupOf, type SpanError, spanErrorOf } from "./span-error.ts";

const STACK = [
  "TypeError: no",
  "    at load (/app/load.js:10:5)",
  "    at run (/app/run.js:20:1)",
  "    at main (/app/main.js:1:1)",
  "    at far (/app/far.js:9:9)",
].join("\n");

function group(changes: Partial<SpanError>): string {
  return errorGroupOf({ type: "TypeError", message: "no", stack: STACK, ...changes });
}

/** The error found on a span whose extra part is this. */
function errorOf(extra: object | string): SpanError | null {
  const payload = new FrameWriter().payload([
    { root: spanId(1), id: spanId(1), name: "x", kind: KIND.server, endUnixUs: 1, durationUs: 1 },
  ]);
  let found: SpanError | null = null;
  decodeSpans(payload, (span) => {
    found = spanErrorOf({ ...span, extraJson: typeof extra === "string" ? extra : JSON.stringify(extra) });
  });
  return found;
}

test("a group is 16 hex digits", () => {
  assert.match(group({}), /^[0-9a-f]{16}$/);
});

test("numbers, ids and quoted parts of a message do not make another group", () => {
  const pairs = [
    ["user 17 not found", "user 9001 not found"],
    [
      "order 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone",
      "order 00000000-0000-4000-8000-000000000000 is gone",
    ],
    ["key 4bf92f3577b34da6 expired", "key 0a1b2c3d4e5f6071 expired"],
    ['no column "name"', 'no column "a much longer name"'],
    ["no column 'name'", "no column ''"],
    ["took 1.5 s", "took 20.75 s"],
  ];
  for (const [a, b] of pairs)
    assert.equal(group({ message: a as string }), group({ message: b as string }), a);
});

test("type, words of the message and the top frames do", () => {
  const base = group({});
  assert.notEqual(group({ type: "RangeError" }), base);
  assert.notEqual(group({ message: "yes" }), base);
  assert.notEqual(group({ stack: STACK.replace("load.js", "save.js") }), base);
  assert.notEqual(group({ message: "added to bead" }), group({ message: "faced a decade" }));
});

test("lines and columns, and frames below the third, do not", () => {
  const base = group({});
  assert.equal(group({ stack: STACK.replace(":10:5", ":11:25").replace(":20:1", ":2:3") }), base);
  assert.equal(group({ stack: STACK.replace("far", "near") }), base);
  assert.equal(group({ stack: STACK.replace("TypeError: no", "TypeError: other") }), base);
});

test("frames of libraries and of Node do not, unless there are no others", () => {
  const base = group({});
  const lines = STACK.split("\n");
  const foreign = [
    "    at query (/app/node_modules/pg/lib/client.js:5:1)",
    "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
    "    at Array.map (<anonymous>)",
  ];
  assert.equal(group({ stack: [lines[0], ...foreign, ...lines.slice(1)].join("\n") }), base);
  const alone = group({ stack: [lines[0], ...foreign].join("\n") });
  assert.notEqual(alone, group({ stack: lines[0] as string }));
  assert.notEqual(alone, group({ stack: [lines[0], ...foreign.slice(1)].join("\n") }));
});

test("the folder of a release does not, other folders do", () => {
  const at = (folder: string): string => group({ stack: `Error\n    at load (/srv/${folder}/load.js:1:1)` });
  assert.equal(at("releases/20261101120000"), at("releases/20261224000000"));
  assert.equal(at("releases/9f8e7d6"), at("releases/0123456789abcdef0123456789abcdef01234567"));
  assert.notEqual(at("shop"), at("blog"));
  assert.notEqual(at("facade"), at("defaced"));
});

test("the first exception of a span is its error, shortened", () => {
  const exception = {
    name: "exception",
    offsetNs: 0,
    attributes: {
      "exception.type": "E",
      "exception.message": "m".repeat(5_000),
      "exception.stacktrace": STACK,
    },
  };
  const other = { name: "exception", offsetNs: 1, attributes: { "exception.type": "Second" } };
  assert.deepEqual(errorOf({ events: [{ name: "log", offsetNs: 0, attributes: {} }, exception, other] }), {
    type: "E",
    message: "m".repeat(1_024),
    stack: STACK,
  });
});

test("without an exception the status message tells; without both there is none", () => {
  assert.deepEqual(errorOf({ statusMessage: "timed out" }), {
    type: "Error",
    message: "timed out",
    stack: "",
  });
  assert.equal(errorOf({ statusMessage: "" }), null);
  assert.equal(errorOf(""), null);
});

test("extras of any shape are read without throwing", () => {
  const nothing = ["{", "5", "null", "[]", '{"events":5}', '{"events":{}}', '{"events":[null,1,"x",[]]}'];
  for (const json of nothing) assert.equal(errorOf(json), null, json);
  for (const attributes of ["null", "5", '"x"', "[]", '{"exception.type":7,"exception.message":[1]}']) {
    const json = `{"events":[{"name":"exception","attributes":${attributes}}]}`;
    assert.deepEqual(errorOf(json), { type: "Error", message: "", stack: "" }, json);
  }
});

test("words of letters and dashes stay, however many there are in a row", () => {
  const words = { type: "Error", message: "a-".repeat(512), stack: "" };
  assert.notEqual(errorGroupOf(words), errorGroupOf({ ...words, message: "a-".repeat(500) }));
  assert.equal(
    errorGroupOf({ ...words, message: `${"a-".repeat(100)}1` }),
    errorGroupOf({ ...words, message: "a-7" }),
  );
});
