// The packages as Debian's own checker sees them.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { skipWithout } from "../support/parts.ts";

const BUILD = resolve(import.meta.dirname, "../../../systemd/deb/build.mjs");

describe("the packages", { skip: skipWithout("lintian") }, () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  test("have no errors by Debian's rules", () => {
    const out = cleanup.tempDir();
    execFileSync(process.execPath, [BUILD, "--quick", "--out", out]);
    const packages = readdirSync(out).filter((name) => name.endsWith(".deb"));
    assert.equal(packages.length, 2);
    const args = ["--allow-root", "--tag-display-limit", "0", ...packages.map((name) => join(out, name))];
    const { stdout, error } = spawnSync("lintian", args, { encoding: "utf8" });
    assert.equal(error, undefined);
    assert.match(stdout, /\S/, "it has looked");
    assert.deepEqual(
      stdout.split("\n").filter((line) => line.startsWith("E:")),
      [],
    );
  });
});
