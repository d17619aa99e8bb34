import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { batchFile, oneRequest, outboxOf, putIntoOutbox } from "../support/batches.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import type { Program } from "../support/program.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "../support/system.ts";

const ROWS = 10_000;
const ROWS_UNDER_KILLS = 2_000;
const BAD_ROW = 1_217;
/** kill -9 of the daemon in the middle of the splitting. */
const KILLS = 2;

describe("R27: one bad row in 10,000", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "poisoned");
  });
  after(() => cleanup.run());

  /** A daemon's state with three batches, of which the second has a row that no collector takes. */
  function poisoned(app: string, count: number): StateDir {
    const stateDir = new StateDir(cleanup);
    const stream = randomUUID();
    const rows = Array.from({ length: count }, (_, i) =>
      oneRequest(app, `GET /${i}`, i === BAD_ROW ? { status: 99_999 } : {}),
    );
    putIntoOutbox(stateDir, 1, batchFile(stream, 1, { actions: [oneRequest(app, "GET /before")] }));
    putIntoOutbox(stateDir, 2, batchFile(stream, 2, { actions: rows }));
    putIntoOutbox(stateDir, 3, batchFile(stream, 3, { actions: [oneRequest(app, "GET /after")] }));
    return stateDir;
  }

  const partsIn = (stateDir: StateDir): string[] => {
    const dir = join(outboxOf(stateDir), "parts");
    return existsSync(dir) ? readdirSync(dir) : [];
  };

  async function waitForAll(daemon: Program, stateDir: StateDir, app: string, count: number): Promise<void> {
    await eventually("all but the bad row is stored, and no part waits", 60_000, async () => {
      assert.equal(await collector.api.requestCount(app), count - 1 + 2, daemon.output);
      assert.deepEqual(partsIn(stateDir), [], daemon.output);
    });
  }

  function letterOf(stateDir: StateDir): { batch: string; reason: Record<string, unknown> } {
    const dir = join(outboxOf(stateDir), "dead-letter");
    const names = readdirSync(dir).sort();
    assert.equal(names.length, 2, names.join(" "));
    const [batch = "", json = ""] = names;
    return {
      batch: join(dir, batch),
      reason: JSON.parse(readFileSync(join(dir, json), "utf8")) as Record<string, unknown>,
    };
  }

  test("9,999 are stored, one lies with its reason where apm batch show and apm status tell of it", async () => {
    const stateDir = poisoned("poisoned", ROWS);
    const daemon = await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile });
    await waitForAll(daemon, stateDir, "poisoned", ROWS);
    const { batch, reason } = letterOf(stateDir);
    assert.equal(reason["code"], "BATCH_MALFORMED");
    assert.match(String(reason["message"]), /malformed at actions\.0\.status/);
    assert.deepEqual(reason["rows"], { actions: 1 });
    const shown = await runApm(["batch", "show", batch]);
    assert.equal(shown.code, 0, shown.output);
    assert.match(shown.stdout, new RegExp(`GET /${BAD_ROW}\\b`));
    const status = await stateDir.status();
    assert.equal(status.outbox.deadLetters, 1);
    assert.equal(status.health, "degraded");
    assert.match(status.problems.join("\n"), /1 batch, put into outbox\/dead-letter.*apm batch show/);
    assert.match(daemon.output, /the collector cannot use a batch: .*malformed at actions/);
  });

  test("the same when the daemon is killed again and again while it splits: nothing lost, nothing twice", async (t) => {
    const stateDir = poisoned("killed", ROWS_UNDER_KILLS);
    const options = { stateDir, collectorUrl: collector.uplinkUrl, keyFile };
    let killedWithParts = 0;
    for (let kill = 1; kill <= KILLS; kill++) {
      const daemon = await startDaemon(cleanup, options);
      const giveUpAt = performance.now() + 10_000;
      while (partsIn(stateDir).length === 0 && performance.now() < giveUpAt) await sleep(1);
      await sleep(kill * 3);
      await daemon.kill();
      if (partsIn(stateDir).length > 0) killedWithParts++;
    }
    t.diagnostic(`${killedWithParts} of ${KILLS} kills left parts behind`);
    const daemon = await startDaemon(cleanup, options);
    await waitForAll(daemon, stateDir, "killed", ROWS_UNDER_KILLS);
    assert.deepEqual(letterOf(stateDir).reason["rows"], { actions: 1 });
  });
});
