import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { runApm, spawnApm, tempFolder } from "../test-support/run-apm.ts";
import { agentEnv } from "./run.ts";

const folder = tempFolder();
const REGISTER = "file:///opt/agent/register.js";

describe("the command's environment", () => {
  test("loads the agent before what NODE_OPTIONS already asks for", () => {
    const context = {
      env: { NODE_OPTIONS: "--max-old-space-size=64 --require ./x.cjs", HOME: "/h" },
      cwd: "/w",
    };
    const env = agentEnv(context, {}, REGISTER);
    assert.equal(env.NODE_OPTIONS, `--import ${REGISTER} --max-old-space-size=64 --require ./x.cjs`);
    assert.equal(env.HOME, "/h");
    assert.ok(!("APM_SOCKET" in env) && !("APM_APP_NAME" in env));
  });

  test("loads it once where one apm run starts another", () => {
    const first = agentEnv({ env: {}, cwd: "/w" }, {}, REGISTER);
    assert.equal(agentEnv({ env: first, cwd: "/w" }, {}, REGISTER).NODE_OPTIONS, `--import ${REGISTER}`);
  });

  test("names the app and the socket when told to, else keeps what is set", () => {
    const env = { APM_APP_NAME: "old", APM_SOCKET: "/old.sock" };
    const named = agentEnv({ env, cwd: "/w" }, { name: "shop", stateDir: "state" }, REGISTER);
    assert.deepEqual([named.APM_APP_NAME, named.APM_SOCKET], ["shop", "/w/state/run/agent.sock"]);
    const kept = agentEnv({ env, cwd: "/w" }, {}, REGISTER);
    assert.deepEqual([kept.APM_APP_NAME, kept.APM_SOCKET], ["old", "/old.sock"]);
  });
});

describe("apm run", () => {
  test("passes arguments as they are, its own options and -- excepted", async () => {
    const script = join(folder, "arguments.sh");
    writeFileSync(script, '#!/bin/sh\nprintf "%s|" "$@"\n');
    chmodSync(script, 0o755);
    const result = await runApm(["run", "--name", "x", script, "--name", "y", "-h", "--", "--watch", "a b"]);
    assert.equal(result.stdout, "--name|y|-h|--|--watch|a b|");
    const separated = await runApm(["run", "--", script, "--version"]);
    assert.equal(separated.stdout, "--version|");
  });

  for (const kind of ["mjs", "cjs"]) {
    test(`runs a .${kind} app under the agent; no daemon is needed`, async () => {
      const script = join(folder, `app.${kind}`);
      const loaded = 'Object.keys(globalThis[Symbol.for("opentelemetry.js.api.1")] ?? {}).includes("trace")';
      writeFileSync(script, `console.log("app ran", process.env.APM_APP_NAME, ${loaded});\n`);
      const env = { APM_SOCKET: join(folder, "nobody.sock") };
      const result = await runApm(["run", "--name", "shop", "node", script], { env });
      assert.equal(result.code, 0, result.stderr);
      assert.equal(result.stdout, "app ran shop true\n");
    });
  }

  test("ends with the command's exit code", async () => {
    assert.equal((await runApm(["run", "sh", "-c", "exit 7"])).code, 7);
    assert.equal((await runApm(["run", "true"])).code, 0);
  });

  test("ends with 128 + the signal that ended the command", async () => {
    assert.equal((await runApm(["run", "sh", "-c", "kill -KILL $$"])).code, 137);
    assert.equal((await runApm(["run", "sh", "-c", "kill -TERM $$"])).code, 143);
  });

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"] as const) {
    test(`passes ${signal} on, and the command decides what becomes of it`, async () => {
      const name = signal.slice(3);
      const child = spawnApm([
        "run",
        "sh",
        "-c",
        `trap 'echo got ${name}; exit 9' ${name}; echo ready; for i in $(seq 400); do sleep 0.05; done`,
      ]);
      assert.ok(child.stdout);
      const lines: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        lines.push(line);
        if (line === "ready") child.kill(signal);
      }
      if (child.exitCode === null) await once(child, "exit");
      assert.deepEqual(lines, ["ready", `got ${name}`]);
      assert.equal(child.exitCode, 9);
    });
  }

  test("says that a command does not exist, and ends with 127", async () => {
    const result = await runApm(["run", "no-such-command-here"]);
    assert.equal(result.code, 127);
    assert.match(result.stderr, /^apm: the command "no-such-command-here" was not found.*\n$/);
  });

  test("says that a file must not be executed, and ends with 126", async () => {
    const file = join(folder, "plain.txt");
    writeFileSync(file, "no program");
    const result = await runApm(["run", file]);
    assert.equal(result.code, 126);
    assert.match(result.stderr, /plain\.txt.*chmod/);
  });

  test("without a command it is wrong usage", async () => {
    assert.equal((await runApm(["run"])).code, 2);
    assert.equal((await runApm(["run", "--nmae", "x", "true"])).code, 2);
  });
});
