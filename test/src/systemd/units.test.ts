// The units as systemd itself reads them; no host has to be booted for it.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import { skipWithout } from "../support/parts.ts";

const UNITS = resolve(import.meta.dirname, "../../../systemd");
/** The highest exposure that systemd may find, see docs/operations.md. */
const MOST_EXPOSURE = { "apm-daemon.service": 2.1, "apm-collector.service": 1.5 };

describe("the units", { skip: skipWithout("systemd") }, () => {
  test("have no key that systemd does not know, and nothing that it wonders about", () => {
    const names = ["apm-daemon.socket", ...Object.keys(MOST_EXPOSURE)];
    const { stderr } = spawnSync(
      "systemd-analyze",
      ["verify", "--man=no", ...names.map((name) => join(UNITS, name))],
      {
        encoding: "utf8",
      },
    );
    // On a machine without the package its program is missing, and nothing else.
    const complaints = stderr.split("\n").filter((line) => line.includes(UNITS) || line.startsWith("apm-"));
    assert.deepEqual(
      complaints.filter((line) => !/\/usr\/bin\/apm is not executable/.test(line)),
      [],
    );
  });

  for (const [name, most] of Object.entries(MOST_EXPOSURE))
    test(`${name} is exposed at most ${most}`, () => {
      const said = execFileSync(
        "systemd-analyze",
        ["security", "--offline=true", "--no-pager", join(UNITS, name)],
        {
          encoding: "utf8",
        },
      );
      const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
      assert.ok(exposure <= most, said);
    });
});
