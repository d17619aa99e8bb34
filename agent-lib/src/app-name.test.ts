import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { cleanAppName, findAppName } from "./app-name.ts";

const folder = mkdtempSync(join(tmpdir(), "apm-app-name-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function packageAt(path: string, json: string): void {
  mkdirSync(join(folder, path), { recursive: true });
  writeFileSync(join(folder, path, "package.json"), json);
}

test("the nearest package.json with a name counts", () => {
  packageAt("shop", '{"name":"@acme/shop"}');
  packageAt("shop/src", '{"type":"module"}');
  packageAt("shop/broken", "{");
  assert.equal(findAppName(join(folder, "shop/src/main.js"), "/"), "@acme/shop");
  assert.equal(findAppName(join(folder, "shop/broken/main.js"), "/"), "@acme/shop");
});

test("a runner in node_modules gives its app's name, not its own", () => {
  packageAt("site", '{"name":"site"}');
  packageAt("site/node_modules/next", '{"name":"next"}');
  assert.equal(
    findAppName(join(folder, "site/node_modules/next/dist/bin/next"), join(folder, "site")),
    "site",
  );
});

test("without a package.json it is the script's name", () => {
  assert.equal(findAppName(join(folder, "bare/worker.mjs"), "/"), "worker");
  assert.equal(findAppName(undefined, "/"), "node");
});

test("a name has no control characters and at most 255 characters", () => {
  assert.equal(cleanAppName(" a\nb\u0000 "), "ab");
  assert.equal(cleanAppName("x".repeat(300)).length, 255);
  assert.equal(cleanAppName(`${"x".repeat(254)}😀`), "x".repeat(254));
  assert.deepEqual([".", " .. ", "..."].map(cleanAppName), ["", "", "..."]);
});
