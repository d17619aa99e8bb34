import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { folderDistrust } from "./folder-distrust.ts";

const parent = mkdtempSync(join(tmpdir(), "apm-distrust-"));
after(() => rmSync(parent, { recursive: true, force: true }));
const uid = process.getuid?.() ?? 0;
const FOREIGN_UID = 65_534;

function folder(name: string, mode: number): string {
  const path = join(parent, name);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

test("a folder of one's own that nobody else may write is trusted, and so is nothing at all", () => {
  assert.equal(folderDistrust(folder("own", 0o755), uid), null);
  assert.equal(folderDistrust(join(parent, "absent"), uid), null);
});

test("a folder that others may write, a link and a file are not", () => {
  assert.equal(folderDistrust(folder("group", 0o770), uid), "other users may write in it");
  assert.equal(folderDistrust(folder("all", 0o707), uid), "other users may write in it");
  const target = folder("target", 0o700);
  symlinkSync(target, join(parent, "link"));
  assert.equal(folderDistrust(join(parent, "link"), uid), "it is no real folder");
  writeFileSync(join(parent, "file"), "");
  assert.equal(folderDistrust(join(parent, "file"), uid), "it is no real folder");
});

test("another user's folder is not, root's is", {
  skip: uid === 0 ? false : "only root can give a folder away",
}, () => {
  const foreign = folder("foreign", 0o700);
  chownSync(foreign, FOREIGN_UID, FOREIGN_UID);
  assert.equal(folderDistrust(foreign, uid), `it belongs to user ${FOREIGN_UID}`);
  assert.equal(folderDistrust(folder("root", 0o755), FOREIGN_UID), null);
});
