import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { StatusReport } from "@apm-daemon/protocol";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { FrameApp } from "../support/frame-app.ts";
import { readStatus } from "../support/status-socket.ts";
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
/** Nothing is sealed before the kill: all frames must come out of the journal. */
const NEVER_SEALS = "seal_interval_ms = 60000\n";

describe("R4, R5: damage to the journal costs only what it touches, and is set aside", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;

  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "damaged");
  });
  after(() => cleanup.run());

  /** A state folder as kill -9 left it, with so many unsealed frames of one request each. */
  async function killedWith(app: string, frames: number): Promise<StateDir> {
    const stateDir = new StateDir(cleanup);
    const options = { stateDir, collectorUrl: "ws://127.0.0.1:9", keyFile, toml: NEVER_SEALS };
    const daemon = await startDaemon(cleanup, options);
    // The early seals of a start and of a new app are over, so that nothing of what follows is sealed.
    const first = await FrameApp.connect(stateDir.agentSocket, `${app}-first`);
    first.send(1);
    await eventually("the early seal is done", 20_000, async () => {
      const { journal } = await readStatus(statusSocket(stateDir));
      assert.ok(journal.position > 0 && journal.sealed === journal.position, JSON.stringify(journal));
    });
    const sender = await FrameApp.connect(stateDir.agentSocket, `${app}-first`, first.lastSequence);
    sender.send(frames);
    await sender.allAcknowledged();
    await daemon.kill();
    return stateDir;
  }

  function segments(stateDir: StateDir): string[] {
    const folder = join(stateDir.path, "journal");
    return readdirSync(folder)
      .filter((name) => name.endsWith(".seg"))
      .map((name) => join(folder, name));
  }

  /** Starts again, with the collector in reach; answers what it says of its recovery. */
  async function recovered(stateDir: StateDir): Promise<StatusReport> {
    const toml = "seal_interval_ms = 1000\n";
    await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml });
    return readStatus(statusSocket(stateDir));
  }

  async function requestsAre(app: string, requests: number): Promise<void> {
    await eventually(`${requests} requests of ${app} are at the collector`, 30_000, async () => {
      assert.equal(await collector.api.requestCount(app), requests);
    });
  }

  test("flipped bytes in three records, one of them in its length: all others are counted, the three lie in quarantine", async () => {
    const stateDir = await killedWith("flipped", 50);
    const [file = ""] = segments(stateDir);
    const bytes = readFileSync(file);
    const records = recordOffsets(bytes);
    for (const [index, at] of [
      [10, 9],
      [20, 30],
      [30, 2],
    ] as const) {
      const offset = (records[index] as number) + at;
      bytes[offset] = (bytes[offset] as number) ^ 0x41;
    }
    writeFileSync(file, bytes);
    const { recovery, health } = await recovered(stateDir);
    assert.equal(recovery?.framesReplayed, 47);
    assert.ok((recovery?.unreadableBytes ?? 0) > 100);
    assert.equal(recovery?.quarantinedBytes, recovery?.unreadableBytes);
    assert.equal(readdirSync(join(stateDir.path, "journal", "quarantine")).length, 3);
    assert.notEqual(health, "failing");
    await requestsAre("flipped-first", 48);
    const { stdout } = await runApm(["status", "--state-dir", stateDir.path]);
    assert.match(stdout, /recovery +.*47 frames counted again.*unreadable/);
  });

  test("a journal cut in the middle of its last record: the others are counted", async () => {
    const stateDir = await killedWith("cut", 20);
    const [file = ""] = segments(stateDir);
    truncateSync(file, statSync(file).size - 7);
    const { recovery } = await recovered(stateDir);
    assert.equal(recovery?.framesReplayed, 19);
    await requestsAre("cut-first", 20);
  });

  test("garbage of 40 MiB instead of segments: the daemon starts, and keeps 16 MiB of it", async () => {
    const stateDir = await killedWith("garbage", 10);
    const journal = join(stateDir.path, "journal");
    const position = statSync(segments(stateDir)[0] as string).size;
    for (let i = 0; i < 5; i++) {
      const name = `${String(position + i * 8 * MIB).padStart(16, "0")}.seg`;
      writeFileSync(join(journal, name), Buffer.alloc(8 * MIB, i + 1));
    }
    const { recovery, health } = await recovered(stateDir);
    assert.deepEqual([recovery?.framesReplayed, recovery?.unreadableBytes], [10, 40 * MIB]);
    const quarantine = join(journal, "quarantine");
    const kept = readdirSync(quarantine).map((name) => statSync(join(quarantine, name)).size);
    assert.equal(
      kept.reduce((sum, bytes) => sum + bytes, 0),
      16 * MIB,
    );
    assert.notEqual(health, "failing");
    await requestsAre("garbage-first", 11);
  });

  test("no cursor, a damaged batch and a damaged journal at once: the daemon starts and says what it found", async () => {
    const stateDir = await killedWith("all", 10);
    const copy = new StateDir(cleanup);
    for (const folder of ["journal", "outbox"])
      cpSync(join(stateDir.path, folder), join(copy.path, folder), { recursive: true });
    writeFileSync(join(copy.path, "journal", "cursor.json"), "{");
    const batches = readdirSync(join(copy.path, "outbox")).filter((name) => name.endsWith(".batch"));
    for (const name of batches) truncateSync(join(copy.path, "outbox", name), 50);
    for (const file of segments(copy)) writeFileSync(file, readFileSync(file).fill(7, 60, 90));
    const { recovery, problems } = await recovered(copy);
    assert.equal(recovery?.cursor, "lost");
    assert.ok((recovery?.quarantinedBatches ?? 0) > 0);
    assert.match(problems.join("\n"), /nothing that says what of it was sealed/);
    const app = await FrameApp.connect(copy.agentSocket, "all-after");
    app.send(5);
    await requestsAre("all-after", 5);
  });
});

/** Offsets of the frames' records in an undamaged segment. */
function recordOffsets(bytes: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = 48; at < bytes.length; at += 12 + bytes.readUInt32LE(at + 8))
    if (bytes[at + 12] === 2) offsets.push(at);
  return offsets;
}

function statusSocket(stateDir: StateDir): string {
  return join(stateDir.path, "run", "status.sock");
}
