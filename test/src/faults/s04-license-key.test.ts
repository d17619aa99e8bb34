import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sendHellos, startHello } from "../support/apps.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Program } from "../support/program.ts";
import { statusSocketAnswer } from "../support/status-socket.ts";
import {
  APM_PROGRAM,
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "../support/system.ts";

describe("S4: the license key is in its file and in memory, and nowhere else", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let stateDir: StateDir;
  let keyFile: string;
  let daemon: Program;
  let key: string;
  /** All that anybody could read, by where it was found. */
  const seen = new Map<string, string>();

  before(async () => {
    const collectorState = new StateDir(cleanup);
    writeFileSync(join(collectorState.path, "collector.toml"), '[log]\nlevel = "trace"\n');
    collector = await startCollector(cleanup, collectorState, undefined, {
      env: {
        APM_CONFIG_FILE: join(collectorState.path, "collector.toml"),
      },
    });
    stateDir = new StateDir(cleanup);
    keyFile = join(cleanup.tempDir(), "license.key");
    copyFileSync(await createKeyFile(collectorState, "canary"), keyFile);
    key = readFileSync(keyFile, "utf8").trim();
    assert.ok(key.length > 40);
    daemon = await startDaemon(cleanup, {
      stateDir,
      collectorUrl: collector.uplinkUrl,
      keyFile,
      toml: 'seal_interval_ms = 1000\n[log]\nlevel = "debug"\n',
    });
  });
  after(() => cleanup.run());

  test("with a right key, a wrong one, a damaged one, none, and a collector that goes away", async () => {
    const hello = await startHello(cleanup, { by: "--require", socket: stateDir.agentSocket });
    await sendHellos(hello, 20);
    await eventually("all requests are in the API", 30_000, async () => {
      assert.equal(await collector.api.requestCount("hello"), 20);
    });
    noteProcess("daemon", daemon.pid);
    noteProcess("collector", collector.program.pid);
    for (const path of ["/status", "/metrics", "/healthz"])
      seen.set(`status socket ${path}`, await statusSocketAnswer(stateDir, path));
    for (const path of ["healthz", "api/v1/server", "api/v1/hosts"])
      seen.set(`collector /${path}`, await (await fetch(`${collector.url}/${path}`)).text());
    for (const args of [["status"], ["doctor"], ["doctor", "--json"], ["status", "--json"]])
      await noteCommand([...args, "--state-dir", stateDir.path]);
    await noteCommand(["key", "list", "--state-dir", collector.stateDir.path]);

    // One character more is a key that the collector does not know; a space makes it none at all.
    for (const damaged of [`${key}x`, `${key} ${key}`, ""]) {
      writeFileSync(keyFile, damaged);
      await noteCommand(["doctor", "--state-dir", stateDir.path]);
      const second = runDaemon(new StateDir(cleanup));
      await second.waitForOutput(/license[ _]key/);
      await second.stop();
      seen.set(`a daemon with ${damaged.length} characters of key`, second.output);
    }
    await collector.program.kill();
    await eventually("the daemon notices", 20_000, async () => {
      assert.notEqual((await stateDir.status()).uplink.state, "connected");
    });
    await noteCommand(["status", "--state-dir", stateDir.path]);
    await noteCommand(["doctor", "--state-dir", stateDir.path]);
  });

  function runDaemon({ path }: StateDir): Program {
    const address = ["--collector", collector.uplinkUrl, "--license-key-file", keyFile];
    const program = new Program({
      name: "daemon",
      command: process.execPath,
      args: [APM_PROGRAM, "daemon", "--state-dir", path, ...address],
    });
    cleanup.add(async () => void (await program.stop()));
    return program;
  }

  test("also where people put it by mistake: as the file's name, and into the address", async () => {
    const empty = new StateDir(cleanup);
    const toml = join(cleanup.tempDir(), "daemon.toml");
    const address = collector.uplinkUrl.replace("ws://", `ws://daemon:${key}@`);
    writeFileSync(toml, `license_key_file = "${key}"\ncollector = "${address}"\nlicense_key = "${key}"\n`);
    const mistaken = { APM_CONFIG_FILE: toml, APM_DAEMON_LICENSE_KEY: key };
    for (const args of [["daemon"], ["doctor"], ["config", "check"], ["config", "show"]]) {
      const result = await runApm(
        [...args, ...(args[0] === "config" ? [] : ["--state-dir", empty.path])],
        mistaken,
      );
      assert.notEqual(result.code, 0, result.output);
      seen.set(`apm ${args.join(" ")} with the key in the configuration`, result.output);
      assert.match(result.output, /license_key_file/);
    }
  });

  test("no copy of it was seen anywhere", async () => {
    await daemon.stop();
    seen.set("daemon's log", daemon.output);
    seen.set("collector's log", collector.program.output);
    for (const [name, dir] of [
      ["daemon", stateDir.path],
      ["collector", collector.stateDir.path],
    ] as const) {
      for (const file of readdirSync(dir, { recursive: true, withFileTypes: true })) {
        if (!file.isFile() || file.name.endsWith(".key-file")) continue;
        seen.set(`${name}'s file ${file.name}`, readFileSync(join(file.parentPath, file.name), "latin1"));
      }
    }
    assert.ok(seen.size > 25, [...seen.keys()].join("\n"));
    assert.match(
      seen.get("daemon's log") ?? "",
      /"level":20|connected to the collector/,
      "the logs are there",
    );
    const secret = key.slice("apm_".length);
    const shapes = [
      secret,
      encodeURIComponent(secret),
      Buffer.from(key).toString("base64").slice(4, -4),
      secret.slice(0, 20),
    ];
    const found = [...seen]
      .filter(([, text]) => shapes.some((shape) => text.includes(shape)))
      .map(([where]) => where);
    assert.deepEqual(found, []);
  });

  async function noteCommand(args: string[]): Promise<void> {
    seen.set(`apm ${args.join(" ")} ${seen.size}`, (await runApm(args)).output);
  }

  /** What every user may see of a process, and what only its own may. */
  function noteProcess(name: string, pid: number): void {
    for (const file of ["cmdline", "environ", "comm", "status"])
      seen.set(`/proc of the ${name}: ${file}`, readFileSync(`/proc/${pid}/${file}`, "latin1"));
  }
});
