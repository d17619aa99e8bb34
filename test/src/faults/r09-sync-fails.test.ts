import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { FrameApp } from "../support/frame-app.ts";
import { skipWithout } from "../support/parts.ts";
import type { Program } from "../support/program.ts";
import { readStatus } from "../support/status-socket.ts";
import { Strace } from "../support/strace.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

describe("R9: the disk fails to keep what was written", { skip: skipWithout("strace") }, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;

  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "sync");
  });
  after(() => cleanup.run());

  function start(stateDir: StateDir, fsync: "seal" | "always"): Promise<Program> {
    const toml = `seal_interval_ms = 1000\njournal.fsync = "${fsync}"\n`;
    return startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml });
  }

  function newestSegment(stateDir: StateDir): string {
    const folder = join(stateDir.path, "journal");
    const names = readdirSync(folder).filter((name) => name.endsWith(".seg"));
    return join(folder, names.sort().at(-1) as string);
  }

  /** Lets each sync of a path fail, once a thread or for as long as the tracer is there. */
  function failSyncs(daemon: Program, paths: readonly string[], when: string): Promise<Strace> {
    return Strace.attach(cleanup, daemon.pid, [
      "-y",
      "-e",
      "trace=fdatasync",
      "-e",
      `inject=fdatasync:error=EIO${when}`,
      ...paths.flatMap((path) => ["-P", path]),
    ]);
  }

  async function requestsAre(app: string, requests: number): Promise<void> {
    await eventually(`${requests} requests of ${app} are at the collector`, 30_000, async () => {
      assert.equal(await collector.api.requestCount(app), requests);
    });
  }

  test("at a seal: the segment is rewritten to a new file, never synced again, and nothing acknowledged is lost", async () => {
    const stateDir = new StateDir(cleanup);
    const daemon = await start(stateDir, "seal");
    const app = await FrameApp.connect(stateDir.agentSocket, "sealed");
    app.send(20);
    await app.allAcknowledged();
    const segment = newestSegment(stateDir);
    const inodeBefore = statSync(segment).ino;
    const strace = await failSyncs(daemon, [segment], "");
    app.send(20);
    await app.allAcknowledged();
    await eventually("the sync has failed and the segment is rewritten", 20_000, async () => {
      const { journal } = await readStatus(statusSocket(stateDir));
      assert.equal(journal.syncFailures, 1);
      assert.notEqual(statSync(segment).ino, inodeBefore);
    });
    app.send(20);
    await app.allAcknowledged();
    assert.notEqual(newestSegment(stateDir), segment, "it is written to no more");
    const { position } = (await readStatus(statusSocket(stateDir))).journal;
    await eventually("later seals went through", 20_000, async () => {
      app.send(1);
      assert.ok((await readStatus(statusSocket(stateDir))).journal.sealed > position);
    });
    await app.allAcknowledged();
    await daemon.kill();
    await strace.detach();
    const syncs = strace.lines().filter((line) => line.includes("fdatasync("));
    assert.equal(syncs.length, 1, syncs.join("\n"));
    const after = await start(stateDir, "seal");
    await requestsAre("sealed", app.requests);
    const { recovery, health } = await readStatus(statusSocket(stateDir));
    assert.equal(recovery?.unreadableBytes, 0);
    assert.equal(health, "ok");
    assert.equal(after.isRunning, true);
  });

  test("before an acknowledgement: none is given until the frames lie synced in a new file", async () => {
    const stateDir = new StateDir(cleanup);
    const daemon = await start(stateDir, "always");
    const app = await FrameApp.connect(stateDir.agentSocket, "always");
    app.send(20);
    await app.allAcknowledged();
    const { position } = (await readStatus(statusSocket(stateDir))).journal;
    const next = join(stateDir.path, "journal", `${String(position).padStart(16, "0")}.seg`);
    const strace = await failSyncs(daemon, [newestSegment(stateDir), next], "");
    app.send(10);
    const failing = await eventually("the status is failing", 20_000, async () => {
      const status = await readStatus(statusSocket(stateDir));
      assert.equal(status.health, "failing");
      return status;
    });
    assert.match(
      failing.problems.join("\n"),
      /the journal in .* cannot be written \(EIO: i\/o error\): the disk reports errors/,
    );
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assert.equal(app.acknowledged, 20);
    await strace.detach();
    await app.allAcknowledged();
    await requestsAre("always", app.requests);
    await daemon.kill();
    await start(stateDir, "always");
    const back = await FrameApp.connect(stateDir.agentSocket, "always", app.lastSequence);
    back.send(3);
    await requestsAre("always", app.requests + back.requests);
  });
});

function statusSocket(stateDir: StateDir): string {
  return join(stateDir.path, "run", "status.sock");
}
