import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { UserPseudonyms } from "./current-request.ts";

test("a pseudonym is the same for one host, app and user, and another one otherwise", () => {
  const folder = mkdtempSync(join(tmpdir(), "apm-machine-"));
  try {
    const [here, there, none] = ["here", "there", "none"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(here, "0123456789abcdef0123456789abcdef\n");
    writeFileSync(there, "fedcba9876543210fedcba9876543210\n");
    const of = (salt: string, app: string, file: string, id: string): string =>
      new UserPseudonyms(salt, app, file).of(id);
    const alice = of("", "shop", here, "alice");
    assert.match(alice, /^[0-9a-f]{16}$/);
    assert.equal(of("", "shop", here, "alice"), alice);
    const others = [
      of("", "shop", here, "bob"),
      of("", "shop", there, "alice"),
      of("", "blog", here, "alice"),
      of("pepper", "shop", here, "alice"),
      // No identity: a key of the process's own.
      of("", "shop", none, "alice"),
      of("", "shop", none, "alice"),
    ];
    assert.equal(new Set([alice, ...others]).size, 7);
    assert.equal(of("pepper", "shop", there, "alice"), of("pepper", "shop", here, "alice"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
