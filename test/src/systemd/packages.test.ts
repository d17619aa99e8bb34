// The packages as Debian's own checker sees them. It is large: where it is not installed, this is skipped.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";

const BUILD = resolve(import.meta.dirname, "../../../systemd/deb/build.mjs");
const LINTIAN = "/usr/bin/lintian";

describe("the packages", { skip: existsSync(LINTIAN) ? false : "not installed: lintian" }, () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  test("have no errors by Debian's rules", () => {
    const out = cleanup.tempDir();
    execFileSync(process.execPath, [BUILD, "--quick", "--out", out]);
    const packages = readdirSync(out).filter((name) => name.endsWith(".deb"));
    assert.equal(packages.length, 2);
    const args = ["--allow-root", "--tag-display-limit", "0", ...packages.map((name) => join(out, name))];
    const { stdout, error } = spawnSync(LINTIAN, args, { encoding: "utf8" });
    assert.equal(error, undefined);
    assert.match(stdout, /\S/, "it has looked");
    assert.deepEqual(
      stdout.split("\n").filter((line) => line.startsWith("E:")),
      [],
    );
  });
});
