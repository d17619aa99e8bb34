import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Program } from "./support/program.ts";

const RUN_TESTS = fileURLToPath(new URL("./support/run-tests.js", import.meta.url));

function runTests(...args: string[]): Program {
  return new Program({ name: "run-tests", command: process.execPath, args: [RUN_TESTS, ...args] });
}

test("a test run beyond its deadline is ended, fails and says so", async () => {
  const run = runTests("--deadline-ms=1", "protocol/dist");
  assert.deepEqual(await run.ended, { code: 1, signal: null });
  assert.match(run.stderr, /still running after 0\.001 s and were ended/);
});

test("a deadline that is no number is refused", async () => {
  const run = runTests("--deadline-ms=soon", "protocol/dist");
  assert.deepEqual(await run.ended, { code: 1, signal: null });
  assert.match(run.stderr, /^--deadline-ms=soon: give the milliseconds/);
});
