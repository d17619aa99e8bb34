import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../test-support/run-apm.ts";
import { preparePrivateFolder } from "./private-folder.ts";

const uid = process.getuid?.() ?? 0;

test("the folder is its owner's alone, also one that was wider", () => {
  const dir = join(tempFolder(), "run");
  preparePrivateFolder(dir, uid);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  chmodSync(dir, 0o777);
  preparePrivateFolder(dir, uid);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
});

test("a link is refused", () => {
  const parent = tempFolder();
  mkdirSync(join(parent, "target"));
  symlinkSync(join(parent, "target"), join(parent, "run"));
  assert.throws(() => preparePrivateFolder(join(parent, "run"), uid), {
    code: "START_REFUSED",
    message: /is no real folder.*--state-dir/,
  });
});

test("another user's folder is refused and left alone", {
  skip: uid !== 0 && "only root can give a folder away",
}, () => {
  const dir = join(tempFolder(), "run");
  mkdirSync(dir, { mode: 0o755 });
  chownSync(dir, 65_534, 65_534);
  assert.throws(() => preparePrivateFolder(dir, uid), {
    code: "START_REFUSED",
    message: /belongs to user 65534.*--state-dir/,
  });
  assert.equal(statSync(dir).mode & 0o777, 0o755);
});
