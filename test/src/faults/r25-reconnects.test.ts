import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Program } from "../support/program.ts";
import { createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";

/** Uplinks as in the daemon, so many in one process; a thousand are simulated in reconnect-wait.test.ts. */
const FLEET = 200;
const FLEET_PROGRAM = fileURLToPath(
  new URL("../../../daemon/dist/testing/uplink-fleet-main.js", import.meta.url),
);
const ALL_BACK_WITHIN_MS = 120_000;
const MAX_PEAK_TO_MEAN = 3;

describe("R25: when a collector was killed and is back", () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  test("200 daemons come back evenly", async (t) => {
    const state = new StateDir(cleanup);
    let collector = await startCollector(cleanup, state);
    const keyFile = await createKeyFile(state, "fleet");
    const fleet = new Program({
      name: "fleet",
      command: process.execPath,
      args: [FLEET_PROGRAM, collector.uplinkUrl, keyFile, String(FLEET)],
    });
    cleanup.add(async () => {
      await fleet.stop();
    });
    await eventually("all are connected", 60_000, () => assert.equal(connections(fleet).length, FLEET));
    await collector.program.kill();
    collector = await startCollector(cleanup, state, collector.port);
    await eventually("all are connected again", ALL_BACK_WITHIN_MS, () =>
      assert.equal(connections(fleet).length, 2 * FLEET),
    );
    const again = connections(fleet).slice(FLEET);
    t.diagnostic(`connects per second: ${perSecond(again.map((ms) => ms - Math.min(...again))).join(" ")}`);

    // A busy machine bunches what it runs late; the waits are what the uplinks decided.
    const waits = perSecond(firstWaits(fleet));
    const ratio = Math.max(...waits) / (FLEET / waits.length);
    t.diagnostic(`first waits per second: ${waits.join(" ")}; peak / mean ${ratio.toFixed(2)}`);
    assert.ok(waits.length >= 6, "they took their time");
    assert.ok(ratio <= MAX_PEAK_TO_MEAN, `peak / mean ${ratio}`);
    await fleet.stop();
  });

  test("a collector with too many daemons is left alone as long as it asks, and taken again then", async () => {
    const state = new StateDir(cleanup);
    const collector = await startCollector(cleanup, state, undefined, {
      env: { APM_COLLECTOR_LIMITS_UPLINKS: "1" },
    });
    const keyFile = await createKeyFile(state, "full");
    const fleet = new Program({
      name: "one more",
      command: process.execPath,
      args: [FLEET_PROGRAM, collector.uplinkUrl, keyFile, "1"],
    });
    cleanup.add(async () => {
      await fleet.stop();
    });
    await eventually("one is connected", 30_000, () => assert.equal(connections(fleet).length, 1));
    const stateDir = new StateDir(cleanup);
    await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile });
    await eventually("it waits", 20_000, async () => {
      const { uplink } = await stateDir.status();
      assert.equal(uplink.state, "waiting");
      assert.match(uplink.reason, /takes no connection for now \(HTTP status 503\)/);
    });
    await fleet.stop();
    await eventually("it is connected", 40_000, async () => {
      assert.equal((await stateDir.status()).uplink.state, "connected");
    });
  });
});

/** What each uplink decided to wait when it lost the collector, ms. */
function firstWaits(fleet: Program): number[] {
  const waits = new Map<number, number>();
  for (const line of fleet.stdout.split("\n").filter((text) => text.includes('"nextTryMs"'))) {
    const { daemon, nextTryMs } = JSON.parse(line) as { daemon: number; nextTryMs: number };
    if (!waits.has(daemon)) waits.set(daemon, nextTryMs);
  }
  return [...waits.values()];
}

function perSecond(ms: readonly number[]): number[] {
  const counts = Array.from({ length: Math.floor(Math.max(...ms) / 1_000) + 1 }, () => 0);
  for (const value of ms) counts[Math.floor(value / 1_000)] = (counts[Math.floor(value / 1_000)] ?? 0) + 1;
  return counts;
}

/** When each connection was made, Unix ms, ascending. */
function connections(fleet: Program): number[] {
  return fleet.stdout
    .split("\n")
    .filter((line) => line.includes('"connected to the collector"'))
    .map((line) => (JSON.parse(line) as { time: number }).time)
    .sort((a, b) => a - b);
}
