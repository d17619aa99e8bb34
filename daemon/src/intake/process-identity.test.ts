import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempDir } from "../testing/temp-dir.ts";
import { isInnerPid, startTicksOf } from "./process-identity.ts";

function proc(t: TestContext, file: string, text: string): string {
  const root = tempDir(t);
  mkdirSync(join(root, "7"));
  writeFileSync(join(root, "7", file), text);
  return root;
}

test("the start is found behind any name that a program gives itself", (t) => {
  const fields = Array.from({ length: 49 }, (_, i) => i + 4).join(" ");
  for (const name of ["node", "a b", ") R 1 2 3", "((("])
    assert.equal(startTicksOf(7, proc(t, "stat", `7 (${name}) S ${fields}\n`)), 22);
  assert.equal(startTicksOf(8, proc(t, "stat", "")), null);
  assert.equal(startTicksOf(7, proc(t, "stat", "7 (x) S 1")), null);
});

test("a process in a container has its pid in each namespace, and no other", (t) => {
  const root = proc(t, "status", "Name:\tnode\nNSpid:\t7\t42\t1\nNSsid:\t5\n");
  assert.deepEqual(
    [7, 42, 1, 5, 2, 0].map((pid) => isInnerPid(7, pid, root)),
    [true, true, true, false, false, false],
  );
  assert.equal(isInnerPid(8, 8, root), false);
});
