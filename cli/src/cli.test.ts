import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runApm, tempFolder } from "./test-support/run-apm.ts";
import { sampleStatus } from "./test-support/sample-status.ts";

/** Files outside of node that `apm ARGS` read as code, and its exit code. */
async function filesLoadedBy(args: readonly string[]): Promise<{ code: number | null; files: string[] }> {
  const coverage = tempFolder();
  const { code } = await runApm(args, { env: { NODE_V8_COVERAGE: coverage } });
  const files = readdirSync(coverage).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(coverage, name), "utf8")) as {
      result: { url: string }[];
    };
    return result.map(({ url }) => url).filter((url) => url.startsWith("file:"));
  });
  return { code, files };
}

async function daemon(t: TestContext): Promise<string> {
  const dir = tempFolder();
  mkdirSync(join(dir, "run"));
  const server = createServer((_request, response) => response.end(JSON.stringify(sampleStatus())));
  t.after(() => server.close());
  await new Promise<void>((resolve) => {
    server.listen(join(dir, "run/status.sock"), () => resolve());
  });
  return dir;
}

test("what is called often reads its own code alone, as reading code is most of a short run", async (t) => {
  const stateDir = await daemon(t);
  const short = [["--version"], ["--help"], ["status", "--state-dir", stateDir], ["run", "true"]];
  for (const args of short) {
    const { code, files } = await filesLoadedBy(args);
    assert.equal(code, 0, args.join(" "));
    const bytes = files.reduce((sum, url) => sum + statSync(fileURLToPath(url)).size, 0);
    assert.ok(bytes > 40_000, "files are seen at all");
    assert.ok(bytes < 150_000, `${args.join(" ")} reads ${bytes} bytes of code`);
  }
});

test("a word that is no command is answered with the nearest one, and the help has all of them", async () => {
  const wrong = await runApm(["sttus"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^apm: unknown command 'sttus'\n\(Did you mean status\?\)/);
  const { stdout } = await runApm(["help"]);
  const listed = [...stdout.matchAll(/^ {2}([a-z]+) .*/gm)].map(([, name]) => name);
  for (const name of ["up", "run", "status", "batch", "help"]) assert.ok(listed.includes(name), name);
  const [help, long] = await Promise.all([runApm(["help", "trace"]), runApm(["trace", "--help"])]);
  assert.equal(help.stdout, long.stdout);
});
