import assert from "node:assert/strict";
import { readdirSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { FrameApp } from "../support/frame-app.ts";
import { mountSmallDisk, skipUnlessMountable } from "../support/small-disk.ts";
import { readStatus } from "../support/status-socket.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const MIB = 1_048_576;
const SEGMENT_BYTES = 2 * MIB;
const JOURNAL_CAP_BYTES = 4 * MIB;
const OUTBOX_CAP_BYTES = MIB;
/** A read of the daemon's socket, whose frames go into one segment. */
const READ_BYTES = 65_536;
/** Nobody listens there: batches stay. */
const NO_COLLECTOR = "ws://127.0.0.1:9";

const SMALL = [
  "seal_interval_ms = 1000",
  `journal.segment_bytes = ${SEGMENT_BYTES}`,
  `journal.cap_bytes = ${JOURNAL_CAP_BYTES}`,
  `outbox.cap_bytes = ${OUTBOX_CAP_BYTES}`,
  'traces.keep = "all"',
  "",
].join("\n");

describe("R11: what the daemon takes of the disk", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;

  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "caps");
  });
  after(() => cleanup.run());

  function bytesIn(stateDir: StateDir, folder: string, ending: string): number {
    const path = join(stateDir.path, folder);
    return readdirSync(path)
      .filter((name) => name.endsWith(ending))
      .reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
  }

  test("the journal stays within its cap and one segment, the outbox within its cap; what goes is counted, the rest arrives", async () => {
    const stateDir = new StateDir(cleanup);
    const options = { stateDir, keyFile, toml: SMALL };
    const daemon = await startDaemon(cleanup, { ...options, collectorUrl: NO_COLLECTOR });
    const app = await FrameApp.connect(stateDir.agentSocket, "caps");
    let mostJournal = 0;
    let mostOutbox = 0;
    for (let round = 0; round < 20; round++) {
      // About 0.5 MiB.
      app.send(40, 20, 600);
      await app.allAcknowledged();
      mostJournal = Math.max(mostJournal, bytesIn(stateDir, "journal", ".seg"));
      mostOutbox = Math.max(mostOutbox, bytesIn(stateDir, "outbox", ".batch"));
    }
    await eventually("batches were given up", 60_000, async () => {
      app.send(40, 20, 600);
      await app.allAcknowledged();
      mostOutbox = Math.max(mostOutbox, bytesIn(stateDir, "outbox", ".batch"));
      const { problems } = await readStatus(statusSocket(stateDir));
      assert.match(
        problems.join("\n"),
        /\d+ batches were deleted unsent because the outbox or the disk was full/,
      );
    });
    assert.ok(mostJournal > JOURNAL_CAP_BYTES / 2, `${mostJournal} bytes`);
    assert.ok(mostJournal <= JOURNAL_CAP_BYTES + SEGMENT_BYTES + READ_BYTES, `${mostJournal} bytes`);
    assert.ok(mostOutbox <= OUTBOX_CAP_BYTES, `${mostOutbox} bytes`);
    await daemon.stop();
    await startDaemon(cleanup, { ...options, collectorUrl: collector.uplinkUrl });
    await eventually("the outbox is empty", 30_000, async () => {
      assert.equal((await readStatus(statusSocket(stateDir))).outbox.batches, 0);
    });
    const arrived = await collector.api.requestCount("caps");
    assert.ok(arrived > 0 && arrived < app.requests, `${arrived} of ${app.requests} requests`);
  });

  test("when others fill the disk, sealed segments go before waiting batches, until the minimum is free", {
    skip: skipUnlessMountable,
  }, async () => {
    const stateDir = new StateDir(cleanup);
    mountSmallDisk(cleanup, stateDir.path, 40 * 1_024);
    const toml = SMALL.replace(/outbox.*\n/, "").replace(
      /journal.cap.*\n/,
      `journal.cap_bytes = ${16 * MIB}\n`,
    );
    await startDaemon(cleanup, { stateDir, collectorUrl: NO_COLLECTOR, keyFile, toml });
    const app = await FrameApp.connect(stateDir.agentSocket, "low-disk");
    for (let round = 0; round < 16; round++) {
      app.send(40, 20, 600);
      await app.allAcknowledged();
    }
    const before = await eventually("all is sealed", 30_000, async () => {
      const status = await readStatus(statusSocket(stateDir));
      assert.equal(status.journal.position, status.journal.sealed);
      assert.ok(status.journal.segments >= 3, `${status.journal.segments} segments`);
      return status;
    });
    const { bavail, bsize } = statfsSync(stateDir.path);
    // A twentieth of 40 MiB is asked for: less than that is left, by about one segment.
    writeFileSync(join(stateDir.path, "others.log"), Buffer.alloc(bavail * bsize - MIB));
    const low = await eventually("the minimum is free again", 20_000, async () => {
      const { bavail: free } = statfsSync(stateDir.path);
      assert.ok(free * bsize >= 2 * MIB, `${free * bsize} bytes are free`);
      return readStatus(statusSocket(stateDir));
    });
    assert.ok(low.journal.segments < before.journal.segments);
    assert.ok(low.outbox.batches >= before.outbox.batches, "the batches are still there");
    let rest = 0;
    await eventually("batches went too, and the status names the disk", 30_000, async () => {
      const { bavail: left } = statfsSync(stateDir.path);
      if (left * bsize > MIB / 4)
        writeFileSync(join(stateDir.path, `more-${rest++}.log`), Buffer.alloc(left * bsize - MIB / 8));
      const { problems, health } = await readStatus(statusSocket(stateDir));
      assert.notEqual(health, "ok");
      assert.match(
        problems.join("\n"),
        /batches were deleted unsent because the outbox or the disk was full/,
      );
      assert.match(problems.join("\n"), /the file system of .* MiB free, less than the 2 MiB left to others/);
    });
  });
});

/** 0 for a file that has just gone. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function statusSocket(stateDir: StateDir): string {
  return join(stateDir.path, "run", "status.sock");
}
