import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
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

/** What the system answers, and what the user is told to do. */
const FAULTS = [
  ["EROFS", /read-only file system\): its file system is read-only: make it writable/],
  ["EACCES", /permission denied\): give the daemon's user the right to write there/],
  ["EMFILE", /too many open files\): raise the daemon's limit of open files \(LimitNOFILE, ulimit -n\)/],
  ["EDQUOT", /\(EDQUOT: disk quota exceeded\): this user's disk quota is used up: raise it/],
  ["EIO", /i\/o error\): the disk reports errors: look at the kernel's log/],
] as const;

describe("R10: a journal that cannot be written, whatever the reason", {
  skip: skipWithout("strace"),
}, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let stateDir: StateDir;
  let daemon: Program;

  before(async () => {
    await takeTurn(cleanup);
    collector = await startCollector(cleanup, new StateDir(cleanup));
    const keyFile = await createKeyFile(collector.stateDir, "unwritable");
    stateDir = new StateDir(cleanup);
    const toml = "seal_interval_ms = 1000\n";
    daemon = await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml });
  });
  after(() => cleanup.run());

  /** The segment that is written, and the one that would be next. */
  async function segmentPaths(): Promise<string[]> {
    const folder = join(stateDir.path, "journal");
    const newest = readdirSync(folder)
      .filter((name) => name.endsWith(".seg"))
      .sort()
      .at(-1) as string;
    const { position } = (await readStatus(statusSocket(stateDir))).journal;
    return [join(folder, newest), join(folder, `${String(position).padStart(16, "0")}.seg`)];
  }

  for (const [code, sentence] of FAULTS) {
    test(`${code}: the status is red and says what to do; the frames wait, and are all counted when it is over`, async () => {
      const app = await FrameApp.connect(stateDir.agentSocket, `app-${code}`);
      app.send(10);
      await app.allAcknowledged();
      const strace = await Strace.attach(cleanup, daemon.pid, [
        "-e",
        "trace=write,writev,openat,open",
        "-e",
        `inject=write,writev,openat,open:error=${code}`,
        ...(await segmentPaths()).flatMap((path) => ["-P", path]),
      ]);
      app.send(10);
      const failing = await eventually("the status is failing", 20_000, async () => {
        const status = await readStatus(statusSocket(stateDir));
        assert.equal(status.health, "failing");
        return status;
      });
      const [problem = ""] = failing.problems;
      assert.match(problem, /^spans are not taken in, they stay with the apps/);
      assert.match(problem, new RegExp(`the journal in ${join(stateDir.path, "journal")} cannot be written`));
      assert.match(problem, sentence);
      assert.equal(app.acknowledged, 10);
      await strace.detach();
      await app.allAcknowledged();
      await eventually("the status is ok again", 20_000, async () => {
        assert.equal((await readStatus(statusSocket(stateDir))).health, "ok");
      });
      await eventually("all requests are at the collector", 30_000, async () => {
        assert.equal(await collector.api.requestCount(`app-${code}`), app.requests);
      });
      app.destroy();
    });
  }
});

function statusSocket(stateDir: StateDir): string {
  return join(stateDir.path, "run", "status.sock");
}
