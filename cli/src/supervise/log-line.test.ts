import assert from "node:assert/strict";
import { test } from "node:test";
import { noPaint } from "../terminal/paint.ts";
import { readableLogLine } from "./log-line.ts";

function readable(record: object): string {
  return readableLogLine("daemon", JSON.stringify(record), noPaint).replace(/^\d\d:\d\d:\d\d /, "TIME ");
}

test("time, part, message, fields", () => {
  const record = {
    level: 30,
    time: 1_790_000_000_000,
    msg: "connected",
    url: "ws://x:1",
    waiting: 3,
    why: "a b",
  };
  assert.equal(readable(record), 'TIME daemon    connected url=ws://x:1 waiting=3 why="a b"');
});

test("warnings and errors are marked, errors say their message", () => {
  assert.equal(readable({ level: 40, time: 1, msg: "slow" }), "TIME daemon    warning: slow");
  const err = { type: "Error", message: "no space", stack: "Error: no space\n at x" };
  assert.equal(
    readable({ level: 50, time: 1, msg: "not written", err }),
    'TIME daemon    error: not written error="no space"',
  );
});

test("one line stays one line, whatever is in it", () => {
  const line = readable({ level: 30, time: 1, msg: "a\nb\u001b[2J", "k\n": "v\r\n" });
  assert.equal(line, 'TIME daemon    a\\u{a}b\\u{1b}[2J k\\u{a}="v\\r\\n"');
});

test("what is no JSON object is shown as it is", () => {
  for (const line of ["plain words", "{ broken", "[1]"]) {
    assert.equal(readableLogLine("daemon", line, noPaint), `daemon    ${line}`);
  }
});
