import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { runApm, spawnApm, tempFolder } from "../test-support/run-apm.ts";
import { sampleRecent } from "../test-support/sample-recent.ts";
import { sampleTop } from "../test-support/sample-top.ts";

/** The state folder of a daemon that answers so; what it was asked is in `seen`. */
async function daemon(
  t: TestContext,
  answers: Readonly<Record<string, unknown>>,
): Promise<{ dir: string; seen: string[] }> {
  const seen: string[] = [];
  const dir = await stateDirAnsweredBy(t, (request, response) => {
    seen.push(request.url ?? "");
    const answer = answers[(request.url ?? "").split("?", 1)[0] ?? ""];
    if (answer === undefined) response.writeHead(404).end("there are /status\n");
    else response.end(JSON.stringify(answer));
  });
  return { dir, seen };
}

async function stateDirAnsweredBy(t: TestContext, listener: RequestListener): Promise<string> {
  const dir = tempFolder();
  mkdirSync(join(dir, "run"));
  const server = createServer(listener);
  t.after(() => server.close());
  await new Promise<void>((resolve) => {
    server.listen(join(dir, "run/status.sock"), () => resolve());
  });
  return dir;
}

test("apm top --once prints one page without colours and ends with 0; --json the daemon's answer", async (t) => {
  const { dir, seen } = await daemon(t, { "/top": sampleTop() });
  const page = await runApm(["top", "--once", "--state-dir", dir]);
  assert.deepEqual([page.code, page.stderr, seen], [0, "", ["/top"]]);
  assert.match(page.stdout, /^web-1 {2}● ok/);
  assert.match(page.stdout, /mariadbd\n$/);
  assert.ok(!page.stdout.includes("\u001b") && !page.stdout.includes("q quit"));
  const json = await runApm(["top", "--once", "--json", "--state-dir", dir]);
  assert.deepEqual([json.code, JSON.parse(json.stdout)], [0, sampleTop()]);
});

test("without a terminal pages follow one another until a signal, as JSON a line each", async (t) => {
  const { dir } = await daemon(t, { "/top": sampleTop() });
  for (const [flags, isPage] of [
    [[], (line: string) => line.startsWith("web-1")],
    [["--json"], (line: string) => (JSON.parse(line) as { host: string }).host === "web-1"],
  ] as const) {
    const child = spawnApm(["top", ...flags, "--state-dir", dir]);
    assert.ok(child.stdout);
    let pages = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      assert.ok(!line.includes("\u001b"));
      if (isPage(line) && ++pages === 2) child.kill("SIGTERM");
    }
    if (child.exitCode === null) await once(child, "exit");
    assert.deepEqual([pages, child.exitCode], [2, 0]);
  }
});

test("apm slow asks for ten minutes of all apps, or for what it is told; prints a page or JSON", async (t) => {
  const { dir, seen } = await daemon(t, { "/recent": sampleRecent() });
  const page = await runApm(["slow", "--state-dir", dir]);
  assert.deepEqual([page.code, page.stderr], [0, ""]);
  assert.match(page.stdout, /^web-1, the last 10 minutes: 2,000 requests/);
  const json = await runApm(["slow", "my shop&co", "--minutes", "60", "--json", "--state-dir", dir]);
  assert.deepEqual(JSON.parse(json.stdout), sampleRecent());
  assert.deepEqual(seen, ["/recent?minutes=10", "/recent?minutes=60&app=my%20shop%26co"]);
  for (const minutes of ["0", "61", "-1", "1.5", "ten"]) {
    const wrong = await runApm(["slow", "--minutes", minutes, "--state-dir", dir]);
    assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
    assert.match(wrong.stderr, /^apm: --minutes must be a whole number from 1 to 60, not "/);
  }
});

test("3 where nothing listens; 1 for a daemon that is too old, busy or gives no such answer, with the reason", async (t) => {
  const nobody = tempFolder();
  const { dir: old } = await daemon(t, {});
  const { dir: strange } = await daemon(t, { "/top": { apps: 1 }, "/recent": [] });
  const busy = await stateDirAnsweredBy(t, (_request, response) =>
    response.writeHead(503).end(JSON.stringify({ error: { code: "BUSY", message: "too many ask" } })),
  );
  for (const [command, dir, code, reason] of [
    [["top"], nobody, 3, /no daemon listens at/],
    [["top", "--once"], nobody, 3, /no daemon listens at/],
    [["slow"], nobody, 3, /no daemon listens at/],
    [["top"], old, 1, /it is too old to be asked for this; restart it with this release/],
    [["slow"], old, 1, /it is too old to be asked for this/],
    [["top"], strange, 1, /it says nothing of apps and processes/],
    [["slow"], strange, 1, /it says nothing of actions and traces/],
    [["slow"], busy, 1, /too many ask/],
  ] as const) {
    const result = await runApm([...command, "--state-dir", dir]);
    assert.deepEqual([result.code, result.stdout], [code, ""], command.join(" "));
    assert.match(result.stderr, reason);
    assert.match(result.stderr, /^apm: /);
  }
});
