import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sendHellos, startHello } from "./support/apps.ts";
import { Cleanup } from "./support/cleanup.ts";
import { eventually } from "./support/eventually.ts";
import { freePort } from "./support/free-port.ts";
import {
  APM_PROGRAM,
  type Collector,
  type CommandResult,
  runApm,
  StateDir,
  startCollector,
  startUp,
} from "./support/system.ts";
import { takeTurn } from "./support/take-turn.ts";

/** Wrong usage or configuration. */
const EXIT_WRONG = 2;
const EXIT_NOTHING_THERE = 3;
const EXIT_FAILED = 1;

/** Root may read and write everything: then the programs run as nobody. */
const unprivileged = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const startsUnprivileged =
  spawnSync(process.execPath, [APM_PROGRAM, "--version"], { ...unprivileged, stdio: "ignore" }).status === 0;
const skipUnprivileged = startsUnprivileged ? false : "the built programs are not readable by nobody";

describe("what cannot start says why in one sentence", () => {
  const cleanup = new Cleanup();
  let dir: string;
  let stateDir: StateDir;

  before(() => {
    dir = cleanup.tempDir();
    stateDir = new StateDir(cleanup);
  });
  after(() => cleanup.run());

  /** Starts a daemon with a file as its configuration. */
  function daemonWith(configFile: string): Promise<CommandResult> {
    return runApm(["daemon", "--state-dir", stateDir.path], { APM_CONFIG_FILE: configFile });
  }

  /** A folder below which this user may only read. */
  function closedFolder(): string {
    const parent = cleanup.tempDir();
    chmodSync(parent, 0o755);
    const closed = join(parent, "closed");
    mkdirSync(closed);
    cleanup.add(() => chmodSync(closed, 0o700));
    chmodSync(closed, 0o555);
    return closed;
  }

  function configFile(name: string, text: string): string {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  }

  test("a configuration file that is not there", async () => {
    const path = join(dir, "nowhere.toml");
    assertRefused(await daemonWith(path), EXIT_WRONG, [path]);
  });

  test("a configuration file that is a folder", async () => {
    const path = join(dir, "folder.toml");
    mkdirSync(path);
    assertRefused(await daemonWith(path), EXIT_WRONG, [path]);
  });

  test("a configuration file that must not be read", { skip: skipUnprivileged }, async () => {
    const path = configFile("secret.toml", "");
    chmodSync(dir, 0o755);
    chmodSync(path, 0o000);
    const args = ["daemon", "--state-dir", stateDir.path];
    const result = await runUnprivileged(args, { APM_CONFIG_FILE: path });
    assertRefused(result, EXIT_WRONG, [path, "must not be read by this user"]);
  });

  test("a configuration file that is not TOML, with the line", async () => {
    const path = configFile("broken.toml", 'apdex_t_ms = 500\n[journal\nfsync = "seal"\n');
    assertRefused(await daemonWith(path), EXIT_WRONG, [path, /\b2\b/]);
  });

  test("a key that nobody knows, with the one that was probably meant", async () => {
    const path = configFile("unknown.toml", "[journal]\ncap_byte = 8388608\n");
    assertRefused(await daemonWith(path), EXIT_WRONG, [path, "journal.cap_byte", "cap_bytes"]);
  });

  test("a value out of bounds, with what was expected", async () => {
    const path = configFile("bounds.toml", "seal_interval_ms = 5\n");
    assertRefused(await daemonWith(path), EXIT_WRONG, [path, "seal_interval_ms", "1000"]);
  });

  test("apm config check lists every mistake, and prints success without one", async () => {
    const wrong = configFile("two.toml", "seal_interval_ms = 5\ncolor = 1\n[log]\nlevel = true\n");
    const result = await runApm(["config", "check", "daemon"], { APM_CONFIG_FILE: wrong });
    assert.equal(result.code, EXIT_WRONG, result.output);
    for (const key of ["seal_interval_ms", "color", "log.level"]) {
      assert.equal(result.output.split("\n").filter((line) => line.includes(key)).length, 1, result.output);
    }
    const right = configFile("right.toml", "seal_interval_ms = 5000\n");
    const success = await runApm(["config", "check", "daemon"], { APM_CONFIG_FILE: right });
    assert.deepEqual([success.code, success.stdout.trim()], [0, "success"]);
  });

  test("a license key file that is not there", async () => {
    const path = join(dir, "nowhere.key");
    const result = await runApm(["daemon", "--state-dir", stateDir.path, "--license-key-file", path]);
    assertRefused(result, EXIT_WRONG, [path]);
  });

  test("a license key file without a key", async () => {
    const path = configFile("other.key", "not a key\n");
    const result = await runApm(["daemon", "--state-dir", stateDir.path, "--license-key-file", path]);
    assertRefused(result, EXIT_WRONG, [path, "apm key create"]);
  });

  test("a list of keys that was damaged", async () => {
    const damaged = new StateDir(cleanup).path;
    writeFileSync(join(damaged, "keys.json"), "garbage");
    const listen = `127.0.0.1:${await freePort()}`;
    const result = await runApm(["up", "--state-dir", damaged, "--listen", listen]);
    assertRefused(result, EXIT_WRONG, [join(damaged, "keys.json")]);
  });

  test("a collector whose list of keys was damaged serves the console, and warns once", async () => {
    const damaged = new StateDir(cleanup);
    const keys = join(damaged.path, "keys.json");
    writeFileSync(keys, "garbage");
    const { program } = await startCollector(cleanup, damaged);
    await program.stop();
    const warnings = program.stdout.split("\n").filter((line) => line.includes(`"level":40`));
    assert.equal(warnings.length, 1, program.output);
    assert.ok(warnings[0]?.includes(`no daemon can report: ${keys}`), program.output);
  });

  test("a file that is no socket in the place of the agents' socket, which stays as it is", async () => {
    const taken = new StateDir(cleanup);
    mkdirSync(join(taken.path, "run"));
    writeFileSync(taken.agentSocket, "not a socket");
    assertRefused(await runApm(["daemon", "--state-dir", taken.path]), EXIT_WRONG, [taken.agentSocket]);
    assert.equal(readFileSync(taken.agentSocket, "utf8"), "not a socket");
  });

  test("a state directory whose sockets would have too long a path", async () => {
    const long = join(dir, "long".repeat(25));
    assertRefused(await runApm(["daemon", "--state-dir", long]), EXIT_WRONG, [long, "107"]);
  });

  test("an address that is none", async () => {
    const collector = await runApm(["collector", "--state-dir", stateDir.path, "--listen", "nonsense"]);
    assertRefused(collector, EXIT_WRONG, ["listen", "nonsense"]);
    const daemon = await runApm(["daemon", "--state-dir", stateDir.path, "--collector", "nonsense"]);
    assertRefused(daemon, EXIT_WRONG, ["collector", "ws://"]);
  });

  test("a command or an option that nobody knows", async () => {
    assert.equal((await runApm(["demon"])).code, EXIT_WRONG);
    assert.equal((await runApm(["daemon", "--stat-dir", dir])).code, EXIT_WRONG);
  });

  for (const command of ["daemon", "collector", "up"]) {
    test(`${command}: a state directory that cannot be written`, async () => {
      const file = join(dir, `regular-file-${command}`);
      writeFileSync(file, "");
      const listen = command === "daemon" ? [] : ["--listen", `127.0.0.1:${await freePort()}`];
      const below = join(file, "state");
      assertRefused(await runApm([command, "--state-dir", below, ...listen]), EXIT_WRONG, [below]);
    });
  }

  for (const command of ["daemon", "collector", "up"]) {
    test(`${command}: a state directory that this user may not write`, {
      skip: skipUnprivileged,
    }, async () => {
      const closed = closedFolder();
      const listen = command === "daemon" ? [] : ["--listen", `127.0.0.1:${await freePort()}`];
      for (const path of [closed, join(closed, "state")]) {
        const result = await runUnprivileged([command, "--state-dir", path, ...listen]);
        assertRefused(result, EXIT_WRONG, [path]);
      }
    });
  }

  test("apm key list of another user's collector", { skip: skipUnprivileged }, async () => {
    const closed = closedFolder();
    writeFileSync(join(closed, "keys.json"), '{"version":1,"keys":[]}');
    chmodSync(closed, 0o000);
    const result = await runUnprivileged(["key", "list", "--state-dir", closed]);
    assertRefused(result, EXIT_FAILED, [join(closed, "keys.json"), "EACCES", "root"]);
  });

  test("apm status where no daemon listens, with what to start", async () => {
    const result = await runApm(["status", "--state-dir", stateDir.path]);
    assertRefused(result, EXIT_NOTHING_THERE, [join(stateDir.path, "run", "status.sock"), "apm"]);
  });
});

describe("a second program in the place of a running one", () => {
  const cleanup = new Cleanup();
  let stateDir: StateDir;
  let up: Collector;

  before(async () => {
    await takeTurn(cleanup);
    stateDir = new StateDir(cleanup);
    up = await startUp(cleanup, stateDir);
  });
  after(() => cleanup.run());

  test("is told so and leaves the first one unharmed", async () => {
    const hello = await startHello(cleanup, { by: "--require", socket: stateDir.agentSocket });
    await sendHellos(hello, 100);

    const daemon = await runApm(["daemon", "--state-dir", stateDir.path]);
    assertRefused(daemon, EXIT_WRONG, [stateDir.path]);

    const elsewhere = new StateDir(cleanup).path;
    const taken = await runApm(["collector", "--state-dir", elsewhere, "--listen", `127.0.0.1:${up.port}`]);
    assertRefused(taken, EXIT_WRONG, [String(up.port)]);

    const runDir = join(stateDir.path, "run");
    const toml = join(cleanup.tempDir(), "daemon.toml");
    writeFileSync(toml, `state_dir = "${elsewhere}"\nrun_dir = "${runDir}"\n`);
    const socket = await runApm(["daemon"], { APM_CONFIG_FILE: toml });
    assertRefused(socket, EXIT_WRONG, [runDir, /has its sockets in/]);

    const free = `127.0.0.1:${await freePort()}`;
    const store = await runApm(["collector", "--state-dir", stateDir.path, "--listen", free]);
    assertRefused(store, EXIT_WRONG, [stateDir.path]);

    const takenByUp = await runApm(["up", "--state-dir", elsewhere, "--listen", `127.0.0.1:${up.port}`]);
    assertRefused(takenByUp, EXIT_WRONG, [String(up.port)]);

    await sendHellos(hello, 100);
    await eventually("all requests are in the API", 30_000, async () => {
      assert.equal(await up.api.requestCount("hello"), 200);
    });
    assert.equal((await stateDir.status()).health, "ok");
  });
});

/** Runs `apm ARGS` as a user without rights, who has no home with a configuration. */
function runUnprivileged(args: string[], env: Record<string, string> = {}): Promise<CommandResult> {
  return runApm(args, { HOME: "/nonexistent", ...env }, unprivileged);
}

/** One line on stderr, no stack, nothing on stdout that pretends success, and each of `mentions` in it. */
function assertRefused(result: CommandResult, exitCode: number, mentions: (string | RegExp)[]): void {
  assert.equal(result.code, exitCode, result.output);
  const lines = result.stderr.trim().split("\n");
  assert.equal(lines.length, 1, result.output);
  assert.match(lines[0] ?? "", /^apm: \S.{20,}/);
  assert.doesNotMatch(result.output, /\n\s+at /, "a stack is not for users");
  for (const mention of mentions) {
    if (typeof mention === "string")
      assert.ok(result.stderr.includes(mention), `no ${mention} in ${result.stderr}`);
    else assert.match(result.stderr, mention);
  }
}
