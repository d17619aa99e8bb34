import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Program } from "../support/program.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const FOLDER: string = fileURLToPath(new URL("../../apps/workers/", import.meta.url));
const REGISTER: string = pathToFileURL(fileURLToPath(import.meta.resolve("@apm-daemon/agent/register"))).href;
const WORKERS = 8;
const SPANS_EACH = 500;

/** How the agent comes into the first process; all others have it from there. */
const WAYS = {
  "--import": { args: ["--import", REGISTER], env: {} },
  NODE_OPTIONS: { args: [], env: { NODE_OPTIONS: `--import ${REGISTER}` } },
};

describe("eight workers under the agent", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let stateDir: StateDir;
  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    const keyFile = await createKeyFile(collector.stateDir, "workers");
    stateDir = new StateDir(cleanup);
    const toml = "seal_interval_ms = 1000\n";
    await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml });
  });
  after(() => cleanup.run());

  function start(mode: string, way: keyof typeof WAYS, name: string): Program {
    const program = new Program({
      name: `workers ${name}`,
      command: process.execPath,
      args: [...WAYS[way].args, `${FOLDER}app.js`, mode, String(WORKERS)],
      cwd: FOLDER,
      env: {
        ...WAYS[way].env,
        APM_SOCKET: stateDir.agentSocket,
        APM_APP_NAME: name,
        APM_OVERHEAD_BUDGET: "0",
      },
    });
    cleanup.add(async () => {
      await program.stop("SIGKILL");
    });
    return program;
  }

  /** Instances that said that they are there, each with all its spans. */
  async function instancesOf(program: Program): Promise<string[]> {
    return eventually("all workers say who they are", 60_000, () => {
      const lines = [...program.stdout.matchAll(/worker ([0-9a-f]{32}) \d+ \d+ (\d+)/g)];
      assert.equal(lines.length, WORKERS, program.describe());
      for (const [, , spans] of lines) assert.equal(Number(spans), SPANS_EACH);
      return lines.map(([, instance = ""]) => instance);
    });
  }

  async function assertStored(name: string, spans: number): Promise<void> {
    await eventually(`${spans} spans of ${name} are stored`, 60_000, async () => {
      const where = ["--state-dir", stateDir.path, "--collector", collector.uplinkUrl];
      const { stdout } = await runApm(["audit", ...where, "--json"]);
      const { apps } = JSON.parse(stdout) as {
        apps: { app: string; stored: number; created: number; lost: number }[];
      };
      const { stored, created, lost } = apps.find(({ app }) => app === name) ?? {
        stored: 0,
        created: 0,
        lost: 0,
      };
      assert.deepEqual({ stored, created, lost }, { stored: spans, created: spans, lost: 0 });
    });
  }

  for (const way of Object.keys(WAYS) as (keyof typeof WAYS)[]) {
    for (const mode of ["thread", "fork"]) {
      test(`${mode}s by ${way}: each is an instance with a connection of its own, every span is counted`, async () => {
        const name = `${mode}s-${way}`;
        const before = (await stateDir.status()).intake;
        const program = start(mode, way, name);
        const instances = await instancesOf(program);
        assert.equal(new Set(instances).size, WORKERS);
        const { code } = await program.ended;
        assert.equal(code, 0, program.describe());
        await assertStored(name, WORKERS * SPANS_EACH);
        const after = (await stateDir.status()).intake;
        assert.equal(after.duplicates, before.duplicates, "no two instances used the same numbers");
        assert.equal(after.sequenceJumps, before.sequenceJumps);
      });
    }

    test(`cluster workers by ${way} answer on one port, and every request is counted`, async () => {
      const name = `cluster-${way}`;
      const requests = 400;
      const program = start("cluster", way, name);
      const [, url = ""] = await program.waitForOutput(/listening on (http:\S+)/, 60_000);
      const instances = await instancesOf(program);
      assert.equal(new Set(instances).size, WORKERS);
      const status = await stateDir.status();
      const connected = status.apps.find(({ app }) => app === name)?.instances ?? [];
      for (const instance of instances)
        assert.equal(connected.filter((entry) => entry.instance === instance).length, 1);
      assert.equal(new Set(connected.map(({ pid }) => pid)).size, WORKERS + 1, "the primary is one too");
      for (let i = 0; i < requests; i++) {
        const answer = await fetch(url, { headers: { connection: "close" } });
        assert.equal(await answer.text(), "hello\n");
      }
      process.kill(program.pid, "SIGUSR2");
      assert.deepEqual(await program.ended, { code: 0, signal: null });
      await assertStored(name, WORKERS * SPANS_EACH + requests);
    });
  }
});
