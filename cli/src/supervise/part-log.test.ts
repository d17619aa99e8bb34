import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

/** Runs a log in a process of its own, whose stdout is a pipe, as under a service manager. */
function logged(script: string): Record<string, unknown>[] {
  const module = new URL("./part-log.js", import.meta.url).href;
  const program = `import { partLog } from ${JSON.stringify(module)};
    const log = partLog("daemon", "info", { stdout: process.stdout, env: {} });
    ${script}`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  assert.doesNotMatch(stdout, /[^\P{Cc}\n]|[\u2028\u202e]/u);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("one JSON line an event, which says the same whatever characters it is made of", () => {
  const text = "a\nb\u001b[31m\u009b2J\u2028\u202e\u007f %s %d";
  const [line, ...more] = logged(`log.info({ app: ${JSON.stringify(text)} }, ${JSON.stringify(text)});`);
  assert.deepEqual([line?.["app"], line?.["msg"], more], [text, text, []]);
});

test("errors keep their fields, long messages are cut, and a flood says what it leaves out", () => {
  const lines = logged(`
    log.error({ err: new Error("why") }, "what");
    log.warn("x".repeat(5_000));
    for (let i = 0; i < 100; i++) log.info({ i }, "an app connected");
  `);
  assert.deepEqual((lines[0]?.["err"] as { message?: string } | undefined)?.message, "why");
  assert.equal(String(lines[1]?.["msg"]).length, 2_001);
  assert.equal(lines.length, 22);
  assert.match(String(lines.at(-1)?.["repeats"]), /left out/);
});
