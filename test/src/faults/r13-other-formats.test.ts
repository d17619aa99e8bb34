import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Cleanup } from "../support/cleanup.ts";
import { CollectorApi } from "../support/collector-api.ts";
import { eventually } from "../support/eventually.ts";
import { FrameApp } from "../support/frame-app.ts";
import { readStatus } from "../support/status-socket.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

/**
 * What a daemon with format 1 left when it was killed, twice: a batch of 20 requests that waits, and two segments, whose
 * frames after the sealed position hold 25 more. Written by release 0.1.0.
 */
const FORMAT_1 = fileURLToPath(new URL("../../fixtures/format-1/", import.meta.url));
const IN_BATCH = 20;
const IN_JOURNAL = 25;

describe("R13: files of other releases", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;

  before(() => takeTurn(cleanup));
  // One for each test: the fixture's stream counts once at a collector.
  beforeEach(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "formats");
  });
  after(() => cleanup.run());

  async function start(stateDir: StateDir, toml = ""): Promise<void> {
    const options = { stateDir, collectorUrl: collector.uplinkUrl, keyFile };
    await startDaemon(cleanup, { ...options, toml: `seal_interval_ms = 1000\n${toml}` });
  }

  test("segments and batches of format 1 are read: the batch arrives, and the journal's frames are counted once", async () => {
    const stateDir = new StateDir(cleanup);
    cpSync(FORMAT_1, stateDir.path, { recursive: true });
    await start(stateDir);
    const { recovery } = await readStatus(statusSocket(stateDir));
    assert.equal(recovery?.cursor, "file");
    assert.deepEqual(
      [recovery?.framesFound, recovery?.framesReplayed, recovery?.unreadableBytes, recovery?.waitingBatches],
      [9, 5, 0, 1],
    );
    // The fixture's spans keep the time at which they were made.
    const api = new CollectorApi(collector.url, 0);
    await eventually("all requests of the fixture are at the collector", 30_000, async () => {
      assert.equal(await api.requestCount("shop"), IN_BATCH + IN_JOURNAL);
    });
    const app = await FrameApp.connect(stateDir.agentSocket, "after-format-1");
    app.send(3);
    await app.allAcknowledged();
    await eventually("what is written now arrives too", 30_000, async () => {
      assert.equal(await api.requestCount("after-format-1"), 3);
    });
  });

  test("a segment and a batch of a later format are named, neither read nor deleted, whatever the caps", async () => {
    const stateDir = new StateDir(cleanup);
    cpSync(FORMAT_1, stateDir.path, { recursive: true });
    const segment = join(stateDir.path, "journal", `${String(10_000).padStart(16, "0")}.seg`);
    const batch = join(stateDir.path, "outbox", `${String(2).padStart(12, "0")}.batch`);
    const laterSegment = Buffer.alloc(5_000_000, 1);
    laterSegment.write("APMJ");
    laterSegment[4] = 3;
    writeFileSync(segment, laterSegment);
    const laterBatch = readFileSync(join(FORMAT_1, "outbox", "000000000001.batch"));
    laterBatch[4] = 2;
    writeFileSync(batch, laterBatch);

    await start(stateDir, "journal.segment_bytes = 2097152\njournal.cap_bytes = 4194304\n");
    const app = await FrameApp.connect(stateDir.agentSocket, "beside-later");
    // More than the journal's cap, so that the ring goes round.
    for (let round = 0; round < 12; round++) {
      app.send(40, 20, 600);
      await app.allAcknowledged();
    }
    await eventually("all requests are at the collector", 60_000, async () => {
      assert.equal(await collector.api.requestCount("beside-later"), app.requests);
    });
    const { recovery, problems, journal } = await readStatus(statusSocket(stateDir));
    // The stream goes on with number 2, so the file of that number has made way.
    assert.deepEqual(recovery?.unknownVersionFiles.toSorted(), [
      "journal/0000000000010000.seg",
      "outbox/000000000002.batch.newer",
    ]);
    assert.match(problems.join("\n"), /2 files of a later release \(journal\/0000000000010000\.seg, outbox/);
    assert.ok(journal.position > 10_000 + laterSegment.length);
    assert.ok(readFileSync(segment).equals(laterSegment));
    assert.ok(readFileSync(`${batch}.newer`).equals(laterBatch));
  });
});

function statusSocket(stateDir: StateDir): string {
  return join(stateDir.path, "run", "status.sock");
}
