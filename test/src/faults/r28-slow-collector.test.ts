import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { batchFile, noise, putIntoOutbox } from "../support/batches.ts";
import { Cleanup } from "../support/cleanup.ts";
import { findProgram, skipWithout } from "../support/parts.ts";
import { Program } from "../support/program.ts";
import { residentBytes } from "../support/resident-memory.ts";
import { createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";

const BATCHES = 60;
const BATCH_BYTES = 400_000;
const COMMIT_DELAY_MS = 5_000;
const SAMPLES = 20;
const MAX_IN_FLIGHT_BYTES = 16 * 1_048_576;
/** What the daemon may grow by: its window, not the 24 MB of batches that wait. */
const MAX_GROWTH_BYTES = 40 * 1_048_576;

describe("R28: a collector whose every commit takes 5 s more", {
  skip: skipWithout("strace") || (process.getuid?.() === 0 ? false : "needs root to slow another process"),
}, () => {
  const cleanup = new Cleanup();
  after(() => cleanup.run());

  test("the daemon's memory is bounded: what is in flight, what waits in the socket, and the whole", async (t) => {
    const collector = await startCollector(cleanup, new StateDir(cleanup));
    const keyFile = await createKeyFile(collector.stateDir, "slow");
    const delay = `inject=fsync,fdatasync:delay_exit=${COMMIT_DELAY_MS * 1_000}`;
    const args = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", delay];
    const strace = new Program({
      name: "strace",
      command: findProgram("strace") ?? "strace",
      args: [...args, "-p", String(collector.program.pid)],
    });
    cleanup.add(async () => {
      await strace.stop("SIGINT");
    });

    const stateDir = new StateDir(cleanup);
    const stream = randomUUID();
    for (let number = 1; number <= BATCHES; number++) {
      const statements = Array.from({ length: 50 }, (_, i) => {
        const text = noise(BATCH_BYTES / 25);
        return { fingerprint: `${number}-${i}`, app: "slow", system: "postgresql", text };
      });
      putIntoOutbox(stateDir, number, batchFile(stream, number, { statements }));
    }
    const toml = "seal_interval_ms = 1000\n";
    const daemon = await startDaemon(cleanup, { stateDir, collectorUrl: collector.uplinkUrl, keyFile, toml });

    const memory: number[] = [];
    let mostInFlight = 0;
    for (let sample = 0; sample < SAMPLES; sample++) {
      await sleep(1_000);
      const { uplink } = await stateDir.status();
      mostInFlight = Math.max(mostInFlight, uplink.inFlightBytes ?? Number.NaN);
      assert.ok((uplink.inFlightBytes ?? Number.NaN) <= MAX_IN_FLIGHT_BYTES, JSON.stringify(uplink));
      assert.ok((uplink.bufferedBytes ?? Number.NaN) <= MAX_IN_FLIGHT_BYTES, JSON.stringify(uplink));
      memory.push(residentBytes(daemon.pid));
    }
    const [first = 0] = memory;
    const last = memory.at(-1) ?? 0;
    const perMinute = ((last - first) / SAMPLES) * 60;
    t.diagnostic(
      `resident ${shown(first)} to ${shown(last)}, ${shown(perMinute)} a minute; at most ${shown(mostInFlight)} in flight`,
    );
    assert.ok(mostInFlight > 0, "the collector was slow");
    assert.ok(Math.max(...memory) - first <= MAX_GROWTH_BYTES, memory.map(shown).join(" "));
    assert.ok(strace.isRunning, strace.describe());
  });
});

function shown(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}
