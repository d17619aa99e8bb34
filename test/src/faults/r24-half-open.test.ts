import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { sendHellos, startHello } from "../support/apps.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { HostAtAWire } from "../support/host-at-a-wire.ts";
import { skipWithout } from "../support/parts.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";

const NOTICED_WITHIN_MS = 45_000;
/** For what a busy machine adds to the polling here. */
const SLACK_MS = 5_000;
const TOML = "seal_interval_ms = 1000\n";

/** Both wait most of their time: at once they take half of it. */
describe("R24: a connection that is dead without a word", { concurrency: true }, () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  const countIs = (collector: Collector, app: string, count: number): Promise<void> =>
    eventually(`${count} requests of ${app} are stored`, 60_000, async () => {
      assert.equal(await collector.api.requestCount(app), count);
    });

  async function uplinks(collector: Collector): Promise<number> {
    return (await collector.api.get<{ uplinks: number }>("server")).uplinks;
  }

  test("a wire that swallows all: both sides notice within 45 s, and all arrives when it heals", {
    skip:
      skipWithout("nftables", "iproute2") ||
      (process.getuid?.() === 0 ? false : "needs root to make a network namespace"),
  }, async (t) => {
    const host = HostAtAWire.make(cleanup);
    const collector = await startCollector(cleanup, new StateDir(cleanup), undefined, {
      address: host.outerAddress,
    });
    const keyFile = await createKeyFile(collector.stateDir, "wire");
    const stateDir = new StateDir(cleanup);
    const options = { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml: TOML };
    await startDaemon(cleanup, { ...options, under: host.enter });
    const hello = await startHello(cleanup, { by: "--require", socket: stateDir.agentSocket, name: "wired" });
    await sendHellos(hello, 30);
    await countIs(collector, "wired", 30);

    host.dropAll();
    const droppedAt = performance.now();
    await sendHellos(hello, 30);
    let daemonMs = 0;
    let collectorMs = 0;
    let reason = "";
    await eventually("both have noticed", NOTICED_WITHIN_MS + SLACK_MS, async () => {
      const ms = performance.now() - droppedAt;
      const { uplink } = await stateDir.status();
      if (daemonMs === 0 && uplink.state !== "connected") {
        daemonMs = ms;
        reason = uplink.reason;
      }
      if (collectorMs === 0 && (await uplinks(collector)) === 0) collectorMs = ms;
      assert.ok(daemonMs > 0 && collectorMs > 0, `daemon ${daemonMs} ms, collector ${collectorMs} ms`);
    });
    t.diagnostic(
      `noticed by the daemon after ${Math.round(daemonMs)} ms, by the collector after ${Math.round(collectorMs)} ms`,
    );
    assert.ok(Math.max(daemonMs, collectorMs) <= NOTICED_WITHIN_MS + SLACK_MS);
    assert.equal(await collector.api.requestCount("wired"), 30, "nothing came through");

    t.diagnostic(`the daemon said: ${reason}`);
    assert.match(collector.program.output, /silent for 40 s/);

    host.heal();
    await countIs(collector, "wired", 60);
  });

  test("a collector that is stopped (SIGSTOP): the daemon notices within 45 s, and all arrives when it goes on", async (t) => {
    const collector = await startCollector(cleanup, new StateDir(cleanup));
    const keyFile = await createKeyFile(collector.stateDir, "stopped");
    const stateDir = new StateDir(cleanup);
    await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml: TOML });
    const hello = await startHello(cleanup, {
      by: "--require",
      socket: stateDir.agentSocket,
      name: "stopped",
    });
    await sendHellos(hello, 30);
    await countIs(collector, "stopped", 30);

    process.kill(collector.program.pid, "SIGSTOP");
    cleanup.add(() => void process.kill(collector.program.pid, "SIGCONT"));
    const stoppedAt = performance.now();
    await sendHellos(hello, 30);
    await eventually("the daemon has noticed", NOTICED_WITHIN_MS + SLACK_MS, async () => {
      const { uplink } = await stateDir.status();
      assert.notEqual(uplink.state, "connected");
      assert.match(uplink.reason, /silent for 40 s|cannot reach/);
    });
    t.diagnostic(`noticed by the daemon after ${Math.round(performance.now() - stoppedAt)} ms`);

    process.kill(collector.program.pid, "SIGCONT");
    await countIs(collector, "stopped", 60);
  });
});
