import assert from "node:assert/strict";
import { test } from "node:test";
import { UpOutput } from "./up-output.ts";

function recorded(): { output: UpOutput; texts: string[] } {
  const texts: string[] = [];
  return { output: new UpOutput({ write: (text) => void texts.push(text) }), texts };
}

test("log lines wait until the console was announced", () => {
  const { output, texts } = recorded();
  output.logLine("early");
  assert.deepEqual(texts, []);
  output.announce("here it is\n");
  output.logLine("late");
  assert.deepEqual(texts, ["here it is\n", "early\n", "late\n"]);
});

test("what needs attention lets them out first", () => {
  const { output, texts } = recorded();
  output.logLine("early");
  output.say("the daemon died");
  assert.deepEqual(texts, ["early\n", "apm: the daemon died\n"]);
});
