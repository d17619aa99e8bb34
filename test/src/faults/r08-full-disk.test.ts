import assert from "node:assert/strict";
import { existsSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { StatusReport } from "@apm-daemon/protocol";
import { sendHellos, startHello } from "../support/apps.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { FrameApp } from "../support/frame-app.ts";
import type { Program } from "../support/program.ts";
import { mountSmallDisk, skipUnlessMountable } from "../support/small-disk.ts";
import { readStatus } from "../support/status-socket.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { takeTurn } from "../support/take-turn.ts";

const DISK_KIB = 1_536;
const SETTLED_MS = 2_000;
const SETTINGS = "seal_interval_ms = 1000\n";

describe("R8: a full disk", { skip: skipUnlessMountable }, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;

  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "full-disk");
  });
  after(() => cleanup.run());

  async function startOnSmallDisk(): Promise<{ stateDir: StateDir; daemon: Program }> {
    const stateDir = new StateDir(cleanup);
    mountSmallDisk(cleanup, stateDir.path, DISK_KIB);
    return { stateDir, daemon: await start(stateDir) };
  }

  function start(stateDir: StateDir): Promise<Program> {
    return startDaemon(cleanup, {
      stateDir,
      collectorUrl: collector.uplinkUrl,
      keyFile,
      toml: SETTINGS,
    });
  }

  /** Takes what is free, as another program that logs too much would, and gives it back. */
  function fill(stateDir: StateDir, name = "others.log"): () => void {
    const { bavail, bsize } = statfsSync(stateDir.path);
    const file = join(stateDir.path, name);
    try {
      writeFileSync(file, Buffer.alloc(bavail * bsize + 65_536));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
    }
    return () => rmSync(file);
  }

  async function statusWhen(
    stateDir: StateDir,
    what: string,
    deadlineMs: number,
    isSo: (status: StatusReport) => boolean,
  ): Promise<StatusReport> {
    return eventually(what, deadlineMs, async () => {
      const status = await readStatus(statusSocket(stateDir));
      if (!isSo(status))
        throw new Error(JSON.stringify({ health: status.health, problems: status.problems }));
      return status;
    });
  }

  async function requestsAre(app: string, requests: number): Promise<void> {
    await eventually(`${requests} requests of ${app} are at the collector`, 30_000, async () => {
      assert.equal(await collector.api.requestCount(app), requests);
    });
  }

  test("stops the reading with a sentence, acknowledges nothing, and all is taken in once there is space", async () => {
    const { stateDir, daemon } = await startOnSmallDisk();
    const app = await FrameApp.connect(stateDir.agentSocket, "full-app");
    app.send(20);
    await app.allAcknowledged();
    const giveBack = fill(stateDir);
    // Until the rest of the last page is used up.
    await eventually("frames are no longer acknowledged", 20_000, () => {
      app.send(5, 1, 200);
      if (app.acknowledged >= app.lastSequence - 5) throw new Error(`${app.acknowledged} are`);
    });
    const failing = await statusWhen(stateDir, "the status is failing", 10_000, ({ health, problems }) => {
      return health === "failing" && problems.some((problem) => problem.includes("the journal"));
    });
    assert.match(
      failing.problems.join("\n"),
      /spans are not taken in.*the journal in .*\/journal cannot be written \(ENOSPC: no space left on device\): free space on its file system/,
    );
    // A batch that the collector has taken leaves its place to spans: then the disk is filled again.
    const further: (() => void)[] = [];
    await eventually("nothing is acknowledged on a full disk", 60_000, async () => {
      further.push(fill(stateDir, `others-${further.length}.log`));
      const before = await settled(() => app.acknowledged);
      app.send(50);
      await sleep(1_500);
      assert.equal(app.acknowledged, before);
    });
    assert.equal(app.isClosed, false);
    const said = (sentence: string): number => daemon.output.split(`"msg":"${sentence}`).length - 1;
    assert.equal(said("spans are not taken in"), said("spans are taken in again") + 1, daemon.output);

    for (const give of [giveBack, ...further]) give();
    const freedAt = performance.now();
    await app.allAcknowledged();
    await statusWhen(stateDir, "the status is ok again", 20_000, ({ health }) => health === "ok");
    console.log(`ok again ${Math.round(performance.now() - freedAt)} ms after the space came back`);
    assert.ok(existsSync(join(stateDir.path, "journal", "reserve")));
    await requestsAre("full-app", app.requests);
    assert.equal(daemon.isRunning, true);
  });

  test("a real app answers as before on a full disk, and nothing of it is lost", async () => {
    const { stateDir } = await startOnSmallDisk();
    const hello = await startHello(cleanup, { by: "--require", socket: stateDir.agentSocket });
    await sendHellos(hello, 50);
    let sent = 0;
    const giveBack = fill(stateDir);
    await eventually("the status is failing", 30_000, async () => {
      await sendHellos(hello, 50);
      sent += 50;
      assert.equal((await readStatus(statusSocket(stateDir))).health, "failing");
    });
    await sendHellos(hello, 300);
    giveBack();
    await requestsAre("hello", 350 + sent);
    assert.deepEqual((await readStatus(statusSocket(stateDir))).dropped["hello"] ?? {}, {});
  });

  test("what was acknowledged before is sealed in the reserve's place, and a kill -9 on the full disk loses nothing", async () => {
    const { stateDir, daemon } = await startOnSmallDisk();
    const app = await FrameApp.connect(stateDir.agentSocket, "killed-full");
    app.send(10);
    await app.allAcknowledged();
    const giveBack = fill(stateDir);
    app.send(30, 1, 200);
    const { journal } = await statusWhen(
      stateDir,
      "all is sealed",
      20_000,
      ({ journal: { position, sealed } }) => {
        return position === sealed;
      },
    );
    assert.ok(journal.position > 0);
    await daemon.kill();
    const acknowledged = app.acknowledged;
    const again = await start(stateDir);
    const back = await FrameApp.connect(stateDir.agentSocket, "killed-full", acknowledged);
    giveBack();
    back.send(5);
    await back.allAcknowledged();
    // The app keeps what was not acknowledged and would send it again; this one sends other frames in its place.
    await requestsAre("killed-full", acknowledged + back.requests);
    assert.equal(again.isRunning, true);
  });
});

/** A number once it has stayed as it is for so long: acknowledgements wait for one another, and for their turn. */
async function settled(number: () => number): Promise<number> {
  for (;;) {
    const before = number();
    await sleep(SETTLED_MS);
    if (number() === before) return before;
  }
}

function statusSocket(stateDir: StateDir): string {
  return join(stateDir.path, "run", "status.sock");
}
