import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../../src", import.meta.url));
const ENGLISH = join(SRC, "i18n/en");

/** Which file of `en/` has each key. */
function areaOfKeys(): Map<string, string> {
  const areas = new Map<string, string>();
  for (const file of readdirSync(ENGLISH)) {
    for (const match of readFileSync(join(ENGLISH, file), "utf8").matchAll(/^ {2}"([^"]+)":/gm))
      areas.set(match[1] as string, file);
  }
  return areas;
}

test("a file that uses a text imports the area that has it", () => {
  const areas = areaOfKeys();
  assert.ok(areas.size > 300);
  const missing: string[] = [];
  for (const entry of readdirSync(SRC, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!/\.tsx?$/.test(entry.name) || path.startsWith(join(SRC, "i18n")) || path.includes(".test."))
      continue;
    const code = readFileSync(path, "utf8");
    for (const [, key = ""] of code.matchAll(/"([a-z]+\.[A-Za-z0-9_.]+)"/g)) {
      const area = areas.get(key);
      if (area === undefined || area === "common.ts" || code.includes(`/i18n/en/${area}"`)) continue;
      missing.push(`${relative(SRC, path)} uses "${key}" without i18n/en/${area}`);
    }
  }
  assert.deepEqual(missing, []);
});
