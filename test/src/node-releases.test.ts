import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { after, describe, test } from "node:test";
import { Cleanup } from "./support/cleanup.ts";
import { NODE_RELEASES, type NodeRelease, nodeOf } from "./support/node-releases.ts";
import { Program } from "./support/program.ts";
import { takeTurn } from "./support/take-turn.ts";

const AGENT = resolve(import.meta.dirname, "../../agent-lib/dist");
const DEADLINE_MS = 300_000;

describe("the agent's own tests under other releases of Node", () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  for (const [release, version] of Object.entries(NODE_RELEASES) as [NodeRelease, string][]) {
    const node = nodeOf(release);
    const skip = node === null ? `Node ${version} is not installed` : false;
    test(`Node ${version}`, { skip }, async () => {
      await takeTurn(cleanup);
      const files = readdirSync(AGENT, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".test.js"))
        .map((name) => join(AGENT, name));
      const program = new Program({
        name: `the agent's tests under Node ${version}`,
        command: node as string,
        args: ["--test", "--test-concurrency=3", "--test-reporter=tap", ...files],
        // What the tests start as "node" is this one too.
        env: { PATH: `${dirname(node as string)}:${process.env["PATH"] ?? ""}` },
        cwd: resolve(AGENT, ".."),
      });
      cleanup.add(async () => void (await program.stop()));
      await program.waitForOutput(/^# duration_ms/m, DEADLINE_MS);
      await program.ended;
      const count = (what: string): number =>
        Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(program.stdout)?.[1]);
      // Each with its error and stack.
      const failed = program.stdout.match(/^ *not ok [^]*?^ *\.\.\.$/gm) ?? [];
      assert.deepEqual(failed, [], failed.join("\n"));
      assert.ok(count("pass") > 100, `${count("pass")} passed`);
    });
  }
});
