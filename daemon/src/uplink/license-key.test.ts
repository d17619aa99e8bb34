import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tempDir } from "../testing/temp-dir.ts";
import { readLicenseKey } from "./license-key.ts";

test("a key is read from its file, without the line's end; no file is no key, nor is an empty one", (t) => {
  const file = join(tempDir(t), "license.key");
  writeFileSync(file, "  apm_0123456789abcdef\n");
  assert.equal(readLicenseKey(file), "apm_0123456789abcdef");
  assert.equal(readLicenseKey(undefined), null);
  writeFileSync(file, "\n");
  assert.equal(readLicenseKey(file), null);
});

test("a file that is missing or holds something else is named, its content is not shown", (t) => {
  const dir = tempDir(t);
  assert.throws(() => readLicenseKey(join(dir, "none")), {
    code: "LICENSE_KEY_UNREADABLE",
    message: /none cannot be read \(ENOENT\)/,
  });
  for (const text of [
    "too-short",
    "two keys-0123456789abcdef",
    "secret-0123456789\nsecret-0123456789",
    "ü".repeat(20),
  ]) {
    const file = join(dir, "license.key");
    writeFileSync(file, text);
    assert.throws(
      () => readLicenseKey(file),
      (error: Error) => /does not hold a key alone/.test(error.message) && !error.message.includes("secret"),
    );
  }
});
