/** Express and Fastify answer byte for byte as their documentation has it, with the agent as without. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DaemonPeer, until } from "../test-support/daemon-peer.ts";
import { type AppEnd, appPath, REGISTER, runNode } from "../test-support/run-app.ts";

const MAJORS: readonly [which: string, loader: string][] = [
  ["latest major", appPath("frameworks/load.mjs")],
  ["major before", fileURLToPath(new URL("../../../previous-majors/load.mjs", import.meta.url))],
];

for (const framework of ["express", "fastify"])
  for (const [which, loader] of MAJORS)
    test(`${framework}, ${which}: answers and what can be looked at are the same`, async () => {
      const peer = await new DaemonPeer().listen();
      const args = [appPath("unchanged/main.mjs"), appPath(`unchanged/${framework}.mjs`), loader];
      // The agent's functions show in stacks. In production Express does not answer with them, but writes them to stderr.
      const env = { NODE_ENV: "production", APM_SOCKET: peer.path };
      const plain = await runNode(args, env);
      const watched = await runNode(["--import", REGISTER, ...args], env);
      assert.deepEqual(withoutFrames(watched), withoutFrames(plain));
      assert.equal(plain.code, 0, plain.stderr);
      await until(() => peer.byes.length === 1, "the goodbye arrives");
      // The comparison counts for something: both answered, and the agent was at work.
      const answers = plain.stdout.match(/^HTTP\/1\.1 \d{3}/gm)?.length ?? 0;
      assert.ok(answers > 30);
      assert.equal(peer.spans.filter((span) => span.kind === 1).length, answers);
      await peer.close();
    });

function withoutFrames(end: AppEnd): AppEnd {
  return { ...end, stderr: end.stderr.replace(/^\s+at .*\n/gm, "") };
}
