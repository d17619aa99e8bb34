import assert from "node:assert/strict";
import { test } from "node:test";
import { callerFrames, SlowStatements } from "./slow-statements.ts";

test("the first slow call marks its statement, the next one tells where it was called from", () => {
  const slow = new SlowStatements();
  const first = {};
  assert.equal(slow.isMarked("SELECT ?"), false);
  assert.equal(slow.slow(first, "SELECT ?"), "");
  assert.equal(slow.isMarked("SELECT ?"), true);
  assert.equal(slow.isMarked("SELECT a"), false);
  const limit = Error.stackTraceLimit;
  const call = {};
  slow.keep(call, slow.capture() ?? assert.fail());
  assert.equal(Error.stackTraceLimit, limit);
  // This file is one of the agent's, so none of its frames is the app's.
  assert.equal(slow.slow(call, "SELECT ?"), "");
  slow.keep(call, { stack: "Error\n    at list (/app/list.js:7:9)" });
  assert.equal(slow.slow(call, "SELECT ?"), "    at list (/app/list.js:7:9)");
});

test("at most 100 stacks are taken within a second", () => {
  const slow = new SlowStatements();
  const taken = Array.from({ length: 1_000 }, () => slow.capture()).filter((origin) => origin !== null);
  // The second may change meanwhile.
  assert.ok(taken.length >= 100 && taken.length <= 300, String(taken.length));
});

test("frames are the app's: 20 and 4,096 characters at most, none of Node or the agent", () => {
  const own = new URL("x.js", import.meta.url).href;
  const stack = [
    "Error: at work",
    `    at startDatabaseCall (${own}:1:1)`,
    "    at node:internal/main:1:1",
    "    at run (node:async_hooks:346:14)",
    "    at new Promise (<anonymous>)",
    "    at async list (file:///app/list.js:7:9)",
    ...Array.from({ length: 30 }, (_, i) => `    at f${i} (/app/${"x".repeat(i === 5 ? 5_000 : 1)}.js:1:1)`),
  ];
  const frames = callerFrames(stack.join("\n"));
  assert.equal(frames.length, 4_096);
  assert.equal(frames.split("\n")[0], "    at async list (file:///app/list.js:7:9)");
  assert.doesNotMatch(frames, /node:|startDatabaseCall|Error|Promise/);
  assert.equal(
    callerFrames(Array.from({ length: 40 }, () => "    at f (a.js:1:1)").join("\n")).split("\n").length,
    20,
  );
  assert.equal(callerFrames(undefined), "");
});

test("an app that makes its own stacks, or fails to, harms nothing", () => {
  const slow = new SlowStatements();
  const call = {};
  const origin = {
    get stack(): string {
      throw new Error("prepareStackTrace");
    },
  };
  slow.keep(call, origin);
  assert.equal(slow.slow(call, "SELECT ?"), "");
  slow.keep(call, { stack: [{}] });
  assert.equal(slow.slow(call, "SELECT ?"), "");
});
