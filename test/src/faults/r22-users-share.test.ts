import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { NOBODY, Peer } from "../support/peer.ts";
import { requestFrame } from "../support/request-frame.ts";
import {
  type Collector,
  createKeyFile,
  runApm,
  StateDir,
  startCollector,
  startDaemon,
} from "../support/system.ts";

/** Decides nothing but how long a broken build is waited for; machines may be busy. */
const PATIENCE_MS = 90_000;

const skip =
  process.platform !== "linux"
    ? "needs Linux"
    : process.getuid?.() === 0
      ? false
      : "needs root, to become a second user";

const MIB = 1_048_576;
/** Half of it is what one user may write in 30 s while another is active. */
const RING_BYTES = 16 * MIB;
const SHARE_BYTES_PER_SECOND = RING_BYTES / 2 / 30;
const CONNECTIONS_PER_UID = 40;
const SPANS_PER_FRAME = 500;
const GOOD_FRAMES = 200;

describe("R22: a user who sends all it can takes nothing from another", { skip }, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let state: StateDir;
  let smallFrame: string;
  let largeFrame: string;

  before(async () => {
    const collectorState = new StateDir(cleanup);
    collector = await startCollector(cleanup, collectorState);
    state = new StateDir(cleanup);
    const dir = dirname(state.path);
    chmodSync(dir, 0o755);
    smallFrame = join(dir, "small");
    writeFileSync(smallFrame, requestFrame(5));
    largeFrame = join(dir, "large");
    writeFileSync(largeFrame, requestFrame(SPANS_PER_FRAME));
    await startDaemon(cleanup, {
      stateDir: state,
      collectorUrl: collector.uplinkUrl,
      keyFile: await createKeyFile(collectorState, "good"),
      toml: `seal_interval_ms = 1000
agent_socket_mode = "0666"
[journal]
segment_bytes = ${2 * MIB}
cap_bytes = ${RING_BYTES}
[limits]
connections_per_uid = ${CONNECTIONS_PER_UID}
`,
    });
  });
  after(() => cleanup.run());

  test("at full speed over all the connections it may have and more", async (t) => {
    const good = Peer.start(cleanup, state.agentSocket, {
      app: "good",
      behaviour: "paced",
      everyMs: 50,
      frames: GOOD_FRAMES,
      framesFile: smallFrame,
    });
    await good.waitFor("active", PATIENCE_MS, ({ ackedFrames }) => ackedFrames > 20);
    const hostile = Peer.start(
      cleanup,
      state.agentSocket,
      {
        app: "hostile",
        instancePrefix: "f".repeat(24),
        connections: CONNECTIONS_PER_UID + 20,
        behaviour: "flood",
        framesFile: largeFrame,
      },
      { uid: NOBODY },
    );
    const turnedAway = await hostile.waitFor("20 are refused", PATIENCE_MS, ({ closed }) => closed >= 20);
    assert.deepEqual(turnedAway.refused, { TOO_MANY_CONNECTIONS: 20 });
    assert.match(
      turnedAway.refusals[0] ?? "",
      /^user 65534 has 40 connections already: raise limits\.connections_per_uid$/,
    );
    const throttledFrom = await eventually("the hostile one is throttled", PATIENCE_MS, async () => {
      const { intake } = await state.status();
      const user = intake.users?.find(({ uid }) => uid === NOBODY);
      assert.ok(user?.isThrottled, JSON.stringify(intake.users));
      return { atMs: performance.now(), bytes: user.bytes };
    });

    await eventually("apm status names it", PATIENCE_MS, async () => {
      const { stdout } = await runApm(["status", "--state-dir", state.path]);
      assert.match(stdout, /users +.*nobody \d+ connections?, .*20 refused, throttled/);
    });
    const done = await good.waitFor("all is acknowledged", PATIENCE_MS, ({ finished }) => finished === 1);
    assert.deepEqual([done.ackedFrames, done.closed], [GOOD_FRAMES, 0]);

    const status = await state.status();
    const user = status.intake.users?.find(({ uid }) => uid === NOBODY);
    assert.ok(user !== undefined && user.throttledMs > 0);
    const seconds = (performance.now() - throttledFrom.atMs) / 1_000;
    const bytesPerSecond = (user.bytes - throttledFrom.bytes) / seconds;
    t.diagnostic(
      `the hostile user was read at ${Math.round(bytesPerSecond)} of ${Math.round(SHARE_BYTES_PER_SECOND)} bytes/s for ${seconds.toFixed(1)} s; good p99 ${done.ackP99Ms.toFixed(1)} ms`,
    );
    // What was read before the rate was set, and one burst, may be in between.
    const mostBytes = SHARE_BYTES_PER_SECOND * (seconds + 2) + 2 * MIB;
    assert.ok(
      user.bytes - throttledFrom.bytes < mostBytes,
      `${user.bytes - throttledFrom.bytes} bytes in ${seconds} s`,
    );
    assert.equal(status.intake.refusedBy?.["connections_per_uid"], 20);
    assert.ok(
      !status.problems.some((problem) => problem.includes("deleted before they were counted")),
      status.problems.join("\n"),
    );
    assert.deepEqual(status.dropped, {});

    await hostile.program.kill();
    await eventually("every span of the good app is at the collector", PATIENCE_MS, async () => {
      assert.equal(await collector.api.requestCount("good"), GOOD_FRAMES * 5);
    });
  });

  test("it is throttled, not robbed: each frame that was taken in is counted once, and all that waits comes", async () => {
    await eventually("nobody is throttled any more", PATIENCE_MS, async () => {
      assert.equal((await state.status()).intake.throttled?.users, 0);
    });
    const frames = 5;
    const app = Peer.start(
      cleanup,
      state.agentSocket,
      {
        app: "waiting",
        instancePrefix: "e".repeat(24),
        connections: 20,
        behaviour: "flood",
        frames,
        framesFile: largeFrame,
      },
      { uid: NOBODY },
    );
    await app.waitFor("all is acknowledged", PATIENCE_MS, ({ finished }) => finished === 20);
    await eventually("all is at the collector", PATIENCE_MS, async () => {
      assert.equal(await collector.api.requestCount("waiting"), 20 * frames * SPANS_PER_FRAME);
    });
  });
});
