import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sendHellos, startHello } from "../support/apps.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { hangCalls } from "../support/hung-calls.ts";
import { NotifySocket } from "../support/notify-socket.ts";
import { skipWithout } from "../support/parts.ts";
import type { Program } from "../support/program.ts";
import { statusOf } from "../support/status-socket.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";

const WATCHDOG_MS = 3_000;
const isRoot = process.getuid?.() === 0;

describe("R34: signs of life for systemd only while intake, journal and seal make progress", {
  skip: skipWithout("python3", "systemd"),
  // They wait most of the time, each for a daemon of its own.
  concurrency: true,
}, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "watched");
  });
  after(() => cleanup.run());

  /** A daemon as systemd starts it, which gives signs of life. */
  async function startWatched(
    stateDir = new StateDir(cleanup),
    toml = "",
  ): Promise<{ daemon: Program; stateDir: StateDir; systemd: NotifySocket }> {
    const systemd = await NotifySocket.open(cleanup);
    const daemon = await startDaemon(cleanup, {
      stateDir,
      collectorUrl: collector.uplinkUrl,
      keyFile,
      toml: `seal_interval_ms = 1000\n${toml}`,
      env: { NOTIFY_SOCKET: systemd.path, WATCHDOG_USEC: String(WATCHDOG_MS * 1_000) },
    });
    await systemd.waitForPings(1);
    return { daemon, stateDir, systemd };
  }

  test("says when it is ready; silent while it stands still or the journal hangs; loses nothing; says when it stops", {
    skip: skipWithout("strace"),
  }, async () => {
    const { daemon, stateDir, systemd } = await startWatched();
    const [first] = systemd.messages;
    assert.equal(first?.[0], "READY=1");
    assert.match(first?.[1] ?? "", /^STATUS=0 apps connected, 0 spans\/s; collector /);

    process.kill(daemon.pid, "SIGSTOP");
    await systemd.waitForSilence(WATCHDOG_MS);
    process.kill(daemon.pid, "SIGCONT");
    await systemd.waitForPings(2);

    const hello = await startHello(cleanup, { by: "--require", socket: stateDir.agentSocket });
    await sendHellos(hello, 20);
    await eventually("the first spans are taken in", 20_000, async () => {
      assert.equal((await statusOf(stateDir)).intake.spans, 20);
    });
    const journal = join(stateDir.path, "journal");
    const [segment = ""] = readdirSync(journal).filter((name) => name.endsWith(".seg"));
    const end = await hangCalls(cleanup, daemon.pid, ["writev", "write"], join(journal, segment));
    await sendHellos(hello, 20);
    await systemd.waitForSilence(WATCHDOG_MS);
    await end();
    await systemd.waitForPings(2);
    await eventually("all requests are in the API", 30_000, async () => {
      assert.equal(await collector.api.requestCount("hello"), 40);
    });

    await daemon.stop();
    await eventually("the last message comes", 5_000, () => {
      assert.deepEqual(systemd.messages.at(-1), ["STOPPING=1"]);
    });
  });

  test("is silent while the journal's disk or a seal hangs, and when apps can no longer find the socket", {
    skip: skipWithout("strace"),
  }, async () => {
    const { daemon, stateDir, systemd } = await startWatched();
    const probe = join(stateDir.path, "journal", "probe.tmp");
    const endProbe = await hangCalls(cleanup, daemon.pid, ["write", "pwrite64"], probe);
    await systemd.waitForSilence(WATCHDOG_MS);
    assert.match(systemd.messages.at(-1)?.join() ?? "", /stalled: journal: a write to its disk has hung/);
    await endProbe();
    await systemd.waitForPings(2);

    const endSeal = await hangCalls(cleanup, daemon.pid, ["fsync", "fdatasync"]);
    await systemd.waitForSilence(WATCHDOG_MS);
    assert.match(systemd.messages.at(-1)?.join() ?? "", /stalled: seal: nothing came of it for/);
    await endSeal();
    await systemd.waitForPings(2);

    rmSync(stateDir.agentSocket);
    await systemd.waitForSilence(WATCHDOG_MS);
    assert.match(systemd.messages.at(-1)?.join() ?? "", /stalled: intake: .*agent\.sock was removed/);
  });

  test("is not restarted for a full disk, which no restart heals", {
    skip: isRoot ? false : "needs root to mount a small disk",
  }, async () => {
    const disk = cleanup.tempDir();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]);
    cleanup.add(() => void execFileSync("umount", ["-l", disk]));
    const small = new StateDir(cleanup);
    for (const name of ["journal", "outbox"]) mkdirSync(join(disk, name));
    execFileSync("mount", ["--bind", disk, small.path]);
    cleanup.add(() => void execFileSync("umount", ["-l", small.path]));
    const { stateDir, systemd } = await startWatched(small, "[limits]\nmin_free_disk_bytes = 0\n");
    await eventually("the daemon says that it cannot seal", 60_000, async () => {
      // Again and again: seals that fit into the daemon's reserve are sent, and their room is free again.
      fill(join(disk, "filler"));
      assert.match((await statusOf(stateDir)).problems.join(), /a batch in .* cannot be written \(ENOSPC/);
    });
    await systemd.waitForPings(WATCHDOG_MS / 1_000 + 2);
  });
});

/** Writes until the disk takes no more, in ever smaller pieces. */
function fill(path: string): void {
  for (let bytes = 1_048_576; bytes >= 1; bytes = Math.floor(bytes / 4)) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes), { flag: "a" });
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
    }
  }
}
