import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { sendHellos, startHello } from "../support/apps.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { hangCalls } from "../support/hung-calls.ts";
import { skipWithout } from "../support/parts.ts";
import { statusOf } from "../support/status-socket.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";

/** The promise: a stop that takes longer is killed by the test, and fails it. */
const STOP_WITHIN_MS = 5_000;
/** 50 where the time is: APM_TEST_STOPS=50. */
const STOPS = Number(process.env["APM_TEST_STOPS"] ?? 5);
/** Requests that come between stops: about 200 a second, so that the app's memory holds what comes while no daemon runs. */
const BURST = 20;
const PAUSE_MS = 100;
/** With so many stops a test takes longer than the usual deadline. */
const DEADLINE_MS = 120_000 + STOPS * 30_000;

describe("R30: SIGTERM under load: no more spans, journal, seal, end", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "stopped");
  });
  after(() => cleanup.run());

  test(`${STOPS} stops lose and double nothing, each within 5 s and with exit code 0`, {
    timeout: DEADLINE_MS,
  }, async () => {
    const options = {
      stateDir: new StateDir(cleanup),
      collectorUrl: collector.uplinkUrl,
      keyFile,
      // A long interval: what a stop does not seal would be replayed at the next start.
      toml: "seal_interval_ms = 60000\n",
    };
    const { stateDir } = options;
    const hello = await startHello(cleanup, { by: "--require", socket: stateDir.agentSocket });
    let sent = 0;
    const over = new AbortController();
    const load = async (): Promise<void> => {
      while (!over.signal.aborted) {
        await sendHellos(hello, BURST);
        sent += BURST;
        await sleep(PAUSE_MS);
      }
    };
    const stops = async (): Promise<void> => {
      try {
        for (let round = 0; round < STOPS; round++) {
          const daemon = await startDaemon(cleanup, options);
          await eventually("spans arrive", 20_000, async () => {
            assert.ok((await statusOf(stateDir)).intake.spans >= BURST);
          });
          // A stop has sealed all that it had acknowledged: nothing is left to count again.
          assert.match(daemon.stdout, /"framesReplayed":0,/);
          const end = await daemon.stop("SIGTERM", STOP_WITHIN_MS);
          assert.deepEqual(end, { code: 0, signal: null }, daemon.output);
        }
      } finally {
        over.abort();
      }
    };
    await Promise.all([load(), stops()]);
    await startDaemon(cleanup, { ...options, toml: "seal_interval_ms = 1000\n" });
    await eventually("exactly what was sent is in the API", 60_000, async () => {
      assert.equal(await collector.api.requestCount("hello"), sent);
    });
    assert.deepEqual((await statusOf(stateDir)).dropped, {});
  });

  test("a collector that is away does not hold it up, and gets it all later", async () => {
    const own = await startCollector(cleanup, new StateDir(cleanup));
    const options = {
      stateDir: new StateDir(cleanup),
      collectorUrl: own.uplinkUrl,
      keyFile: await createKeyFile(own.stateDir, "away"),
      toml: "seal_interval_ms = 60000\n",
    };
    const daemon = await startDaemon(cleanup, options);
    const hello = await startHello(cleanup, { by: "--require", socket: options.stateDir.agentSocket });
    await own.program.kill();
    await sendHellos(hello, 100);
    await eventually("all spans are taken in", 20_000, async () => {
      assert.equal((await statusOf(options.stateDir)).intake.spans, 100);
    });
    assert.equal((await daemon.stop("SIGTERM", STOP_WITHIN_MS)).code, 0);
    const back = await startCollector(cleanup, own.stateDir, own.port);
    await startDaemon(cleanup, options);
    await eventually("all requests are in the API", 90_000, async () => {
      assert.equal(await back.api.requestCount("hello"), 100);
    });
  });

  test("a disk that hangs does not hold it up either; what was acknowledged is counted at the next start", {
    skip: skipWithout("strace"),
  }, async () => {
    const options = {
      stateDir: new StateDir(cleanup),
      collectorUrl: collector.uplinkUrl,
      keyFile,
      toml: "seal_interval_ms = 60000\n",
    };
    const daemon = await startDaemon(cleanup, options);
    const hello = await startHello(cleanup, {
      by: "--require",
      socket: options.stateDir.agentSocket,
      name: "hung",
    });
    // The first seals are early, for the new host and app: they are over before the disk hangs.
    await sendHellos(hello, 1);
    await eventually("the app is stored", 20_000, async () => {
      assert.equal(await collector.api.requestCount("hung"), 1);
    });
    await sendHellos(hello, 99);
    await eventually("all spans are taken in", 20_000, async () => {
      assert.equal((await statusOf(options.stateDir)).intake.spans, 100);
    });
    const end = await hangCalls(cleanup, daemon.pid, ["fsync", "fdatasync"]);
    const stopped = daemon.stop("SIGTERM", 60_000);
    await daemon.waitForOutput(/^apm: the stop takes too long, the disk seems to hang/m, 2 * STOP_WITHIN_MS);
    // Where nobody traces it the process is gone at this moment; a tracer holds what it traces until it lets go.
    await end();
    assert.equal((await stopped).signal, "SIGKILL");
    await startDaemon(cleanup, options);
    await eventually("all requests are in the API", 30_000, async () => {
      assert.equal(await collector.api.requestCount("hung"), 100);
    });
  });
});
