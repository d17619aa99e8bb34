import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runApm, tempFolder } from "../test-support/run-apm.ts";

const KEY_ALONE = /^apm_[\w-]{43}\n$/;

test("a key is printed alone and stored as a hash only", async () => {
  const dir = join(tempFolder(), "state");
  const created = await runApm(["key", "create", "--state-dir", dir, "web"]);
  assert.deepEqual([created.code, created.stderr], [0, ""]);
  assert.match(created.stdout, KEY_ALONE);
  const stored = readFileSync(join(dir, "keys.json"), "utf8");
  assert.ok(!stored.includes(created.stdout.trim().slice(4)), "the key itself is in keys.json");
  assert.equal(statSync(join(dir, "keys.json")).mode & 0o777, 0o600);
});

test("keys are listed by name, never themselves, and revoked by name", async () => {
  const dir = tempFolder();
  const { stdout: key } = await runApm(["key", "create", "web", "--state-dir", dir]);
  await runApm(["key", "create", "batch", "--state-dir", dir]);
  const list = await runApm(["key", "list", "--state-dir", dir]);
  assert.deepEqual(
    list.stdout.split("\n").map((line) => line.split(" ")[0]),
    ["name", "web", "batch", ""],
  );
  assert.ok(!list.stdout.includes(key.trim()));
  const revoked = await runApm(["key", "revoke", "web", "--state-dir", dir]);
  assert.deepEqual([revoked.code, revoked.stdout], [0, ""]);
  assert.ok(!(await runApm(["key", "list", "--state-dir", dir])).stdout.includes("web"));
});

test("the state folder may come from the collector's configuration", async () => {
  const dir = tempFolder();
  writeFileSync(join(dir, "collector.toml"), 'state_dir = "state"\n');
  const env = { APM_CONFIG_FILE: join(dir, "collector.toml") };
  assert.equal((await runApm(["key", "create", "web"], { env })).code, 0);
  assert.ok(statSync(join(dir, "state/keys.json")).isFile());
});

test("refusals have a sentence and an exit code", async () => {
  const dir = tempFolder();
  const key = (...args: string[]) => runApm(["key", ...args, "--state-dir", dir]);
  await key("create", "web");
  const twice = await key("create", "web");
  assert.deepEqual([twice.code, twice.stdout], [1, ""]);
  assert.match(twice.stderr, /^apm: .*"web" exists/);
  const badName = await key("create", "../../etc\n");
  assert.equal(badName.code, 2, badName.stderr);
  const unknown = await key("revoke", "nobody");
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^apm: .*"nobody"/);
  assert.equal((await key("create")).code, 2);
});

test("a damaged list of keys is said, not overwritten", async () => {
  const dir = tempFolder();
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "keys.json"), "{ broken");
  const result = await runApm(["key", "create", "web", "--state-dir", dir]);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /^apm: .*keys\.json/);
  assert.equal(readFileSync(join(dir, "keys.json"), "utf8"), "{ broken");
});
