import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sendHellos, startHello } from "../support/apps.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Program, type ProgramEnd } from "../support/program.ts";
import {
  APM_PROGRAM,
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "../support/system.ts";

const EXIT_WRONG = 2;
const RACERS = 4;
const mayUnshare = spawnSync("unshare", ["--net", "true"], { stdio: "ignore" }).status === 0;

describe("R12: a second daemon on a state folder that has one", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let stateDir: StateDir;
  let options: Parameters<typeof startDaemon>[1];
  let daemon: Program;

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    stateDir = new StateDir(cleanup);
    const keyFile = await createKeyFile(collector.stateDir, "one");
    options = { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml: "seal_interval_ms = 1000\n" };
    daemon = await startDaemon(cleanup, options);
  });
  after(() => cleanup.run());

  test("ends with one sentence that names the folder and the process, by whatever path it comes, and writes nothing", async () => {
    const link = join(cleanup.tempDir(), "other-name");
    symlinkSync(stateDir.path, link);
    const elsewhere = join(cleanup.tempDir(), "daemon.toml");
    // Its own sockets, so that only the folder is shared.
    writeFileSync(elsewhere, `state_dir = "${stateDir.path}"\nrun_dir = "${cleanup.tempDir()}"\n`);
    // The first one keeps what the collector sends after its welcome.
    await eventually("the collector's settings are kept", 20_000, () => {
      if (!existsSync(join(stateDir.path, "collector-settings.json"))) throw new Error("they are not");
    });
    const before = writtenBy(stateDir);
    for (const [args, env] of [
      [["--state-dir", stateDir.path], {}],
      [["--state-dir", link], {}],
      [["--config", elsewhere], {}],
    ] as const) {
      const result = await runApm(["daemon", ...args], env);
      assertRefused(result, result.stderr);
      assert.equal(result.stdout, "", "it ends before it does anything");
    }
    assert.deepEqual(writtenBy(stateDir), before);
  });

  test("also from another network namespace, as in a container that shares the folder", {
    skip: mayUnshare ? false : "may not make a network namespace",
  }, async () => {
    const elsewhere = join(cleanup.tempDir(), "daemon.toml");
    writeFileSync(elsewhere, `state_dir = "${stateDir.path}"\nrun_dir = "${cleanup.tempDir()}"\n`);
    const second = new Program({
      name: "a second daemon",
      command: "unshare",
      args: ["--net", process.execPath, APM_PROGRAM, "daemon", "--config", elsewhere],
    });
    cleanup.add(() => second.kill());
    assertRefused(await second.ended, second.stderr);
  });

  test("the first one is unharmed: all that was sent before, meanwhile and after is counted", async () => {
    const hello = await startHello(cleanup, { by: "--require", socket: stateDir.agentSocket });
    await sendHellos(hello, 50);
    const [second] = await Promise.all([
      runApm(["daemon", "--state-dir", stateDir.path]),
      sendHellos(hello, 50),
    ]);
    assertRefused(second, second.stderr);
    await sendHellos(hello, 50);
    await eventually("all requests are in the API", 30_000, async () => {
      assert.equal(await collector.api.requestCount("hello"), 150);
    });
    const { pid, health } = await stateDir.status();
    assert.deepEqual([pid, health], [daemon.pid, "ok"]);
  });

  test("of several that start at once on what a killed one left, one works and the others end", async () => {
    await daemon.kill();
    const racers = Array.from(
      { length: RACERS },
      (_, i) =>
        new Program({
          name: `racer ${i}`,
          command: process.execPath,
          args: [APM_PROGRAM, "daemon", "--state-dir", stateDir.path, "--collector", collector.uplinkUrl],
        }),
    );
    for (const racer of racers) cleanup.add(() => racer.kill());
    await eventually("all but one have ended", 30_000, () => {
      assert.equal(racers.filter(({ isRunning }) => !isRunning).length, RACERS - 1);
    });
    const winner = racers.find(({ isRunning }) => isRunning);
    await eventually("the last one answers", 20_000, async () => {
      assert.equal((await stateDir.status()).pid, winner?.pid);
    });
    for (const racer of racers) if (racer !== winner) assertRefused(await racer.ended, racer.stderr);
  });

  function assertRefused({ code }: ProgramEnd, stderr: string): void {
    assert.equal(code, EXIT_WRONG, stderr);
    assert.match(
      stderr,
      /^apm: another daemon( \(process \d+\))? works in the state folder \S+: stop it, or [^\n]+\n$/,
    );
  }
});

/** What is in the folder's own files, but for those that the first daemon keeps writing. */
function writtenBy(stateDir: StateDir): Record<string, string> {
  const files = readdirSync(stateDir.path, { withFileTypes: true }).filter((entry) => entry.isFile());
  const pid = { "daemon.pid": readFileSync(join(stateDir.path, "daemon.pid"), "utf8") };
  return {
    ...Object.fromEntries(
      files.map(({ name }) => [name, String(statSync(join(stateDir.path, name)).mtimeMs)]),
    ),
    ...pid,
  };
}
