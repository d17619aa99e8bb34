import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../test-support/run-apm.ts";
import { Backoff } from "./backoff.ts";
import { KeptProcess, type KeptProcessOptions } from "./kept-process.ts";

const folder = tempFolder();
let programs = 0;

/** A kept process that runs the program `source`. */
function kept(
  source: string,
  more: Partial<KeptProcessOptions> = {},
): { part: KeptProcess; lines: string[] } {
  const mainFile = join(folder, `program-${programs++}.mjs`);
  writeFileSync(mainFile, source);
  const lines: string[] = [];
  const part = new KeptProcess({
    mainFile,
    args: () => ["daemon"],
    env: () => ({ PATH: process.env["PATH"] }),
    backoff: new Backoff({ firstMs: 1, maxMs: 1, resetAfterMs: 30_000 }),
    onLine: (line) => lines.push(line),
    onRestart: () => {},
    ...more,
  });
  return { part, lines };
}

const READY = 'process.send({ type: "ready", address: "http://here" });';
const RUN_ON = "setInterval(() => {}, 1000);";

test("reports the address of a part that is ready, and ends it by SIGTERM", async () => {
  const { part, lines } = kept(
    `process.on("SIGTERM", () => { console.log("sealed"); process.exit(0); }); console.log(process.argv[2]); ${READY} ${RUN_ON}`,
  );
  part.start();
  assert.equal(await part.firstReady, "http://here");
  await part.stop(10_000);
  assert.deepEqual(lines, ["daemon", "sealed"]);
});

test("starts a part again that dies, and says why it ended", async () => {
  const reasons: string[] = [];
  const flag = join(folder, "runs");
  writeFileSync(flag, "");
  const { part } = kept(
    `import { appendFileSync, readFileSync } from "node:fs";
     appendFileSync(${JSON.stringify(flag)}, "x");
     const runs = readFileSync(${JSON.stringify(flag)}, "utf8").length;
     if (runs === 1) process.exit(1);
     if (runs === 2) process.kill(process.pid, "SIGKILL");
     else { ${READY} ${RUN_ON} }`,
    { onRestart: (reason) => reasons.push(reason) },
  );
  part.start();
  await part.firstReady;
  await part.stop(10_000);
  assert.deepEqual(reasons, ["ended with exit code 1", "was killed by SIGKILL"]);
});

test("does not start a part again that refuses its configuration, and hands on its last words", async () => {
  const { part, lines } = kept(
    'console.log("before"); console.error("apm: port 1 is in use\\n  stop the other"); process.exitCode = 2;',
    { onRestart: () => assert.fail("started again") },
  );
  part.start();
  assert.equal(await part.refused, "port 1 is in use\n  stop the other");
  assert.deepEqual(lines, ["before"]);
  await part.stop(1);
});

test("kills a part that does not end in time", async () => {
  const { part } = kept(`process.on("SIGTERM", () => {}); ${READY} ${RUN_ON}`);
  part.start();
  await part.firstReady;
  await part.stop(50);
});

test("starts nothing after a stop", async () => {
  const { part, lines } = kept('console.log("ran");', { onRestart: () => assert.fail("started again") });
  await part.stop(1);
  part.start();
  await part.stop(1);
  assert.deepEqual(lines, []);
});
