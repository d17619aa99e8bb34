import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { PacedApp } from "../support/paced-app.ts";
import type { Program } from "../support/program.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const MIB = 1_048_576;
const RATE = 10_000;
/** The soak lane stops the daemon for 10 minutes. */
const STOPPED_SECONDS = Number(process.env["APM_TEST_STOPPED_SECONDS"] ?? 15);
const TEXT_CHARS = 100;

interface AuditEntry {
  app: string;
  created: number;
  stored: number;
  lost: number;
  outbox: number;
  journal: number;
  inFlight: number;
  dropped: Record<string, number>;
}

describe("an app whose daemon is stopped for long", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let stateDir: StateDir;
  let daemon: Program;
  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    const keyFile = await createKeyFile(collector.stateDir, "memory");
    stateDir = new StateDir(cleanup);
    const toml = "seal_interval_ms = 1000\n";
    daemon = await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml });
  });
  after(() => cleanup.run());

  test("keeps 4 MiB at most, and every span is stored or told as dropped", async (t) => {
    const app = await PacedApp.start(cleanup, {
      socket: stateDir.agentSocket,
      name: "patient",
      textChars: TEXT_CHARS,
    });
    await app.pace(RATE, 1);
    process.kill(daemon.pid, "SIGSTOP");
    const stopped = await app.pace(RATE, STOPPED_SECONDS);
    process.kill(daemon.pid, "SIGCONT");
    const report = await app.pace(RATE, 1);
    assert.ok(stopped.bufferBytes <= 4 * MIB, JSON.stringify(stopped));
    assert.ok(stopped.bufferBytes > 3 * MIB, "the buffers were full");
    // All memory outside of the heap, the app's own and Node's among it.
    assert.ok(stopped.arrayBuffers <= 6 * MIB, JSON.stringify(stopped));
    assert.ok(report.dropped > 0);
    assert.equal(report.made, RATE * (STOPPED_SECONDS + 2));

    const entry = await eventually("each span is stored or lost", 60_000, async () => {
      const where = ["--state-dir", stateDir.path, "--collector", collector.uplinkUrl];
      const { stdout } = await runApm(["audit", ...where, "--json"]);
      const { apps } = JSON.parse(stdout) as { apps: AuditEntry[] };
      const found = apps.find((candidate) => candidate.app === "patient");
      assert.ok(found !== undefined);
      assert.equal(found.stored + found.lost, report.made, stdout);
      return found;
    });
    assert.equal(entry.created, report.made);
    assert.deepEqual(entry.dropped, { agent_ring_full: report.dropped });
    const { dropped } = await stateDir.status();
    assert.deepEqual(dropped["patient"], { agent_ring_full: report.dropped });
    t.diagnostic(
      `${entry.stored} stored, ${entry.lost} dropped of ${entry.created}; ${stopped.bufferBytes} bytes`,
    );
    await app.end();
  });
});
