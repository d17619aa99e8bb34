import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { BuiltFiles } from "./built-files.ts";

test("only what is in the folder is an address, and what is built anew is found a second later", (t) => {
  const root = mkdtempSync(join(tmpdir(), "apm-built-"));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "assets"));
  writeFileSync(join(root, "assets", "main-1.js"), "");
  let monoMs = 0;
  const files = new BuiltFiles(root, () => monoMs);
  assert.ok(files.has("/") && files.has("/assets/main-1.js"));
  for (const address of [
    "/assets",
    "/assets/",
    "/assets/../assets/main-1.js",
    "/../x",
    "/assets/main-2.js",
    "",
  ])
    assert.equal(files.has(address), false, address);
  writeFileSync(join(root, "assets", "main-2.js"), "");
  monoMs = 999;
  assert.equal(files.has("/assets/main-2.js"), false);
  monoMs = 1_000;
  assert.equal(files.has("/assets/main-2.js"), true);
});
