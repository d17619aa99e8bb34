import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Cleanup } from "../support/cleanup.ts";
import { startLoneDaemon } from "../support/lone-daemon.ts";
import { Peer } from "../support/peer.ts";
import { requestFrame } from "../support/request-frame.ts";
import type { StateDir } from "../support/system.ts";

/** Decides nothing but how long a broken build is waited for; machines may be busy. */
const PATIENCE_MS = 90_000;

const DRIPPERS = 1_000;
const SILENT = 100;
/** One of the good client's connections sends each 25 ms; none so often that its acknowledgements wait for one another. */
const CONNECTIONS = 12;
const FRAMES = 17;

describe("R20: who sends slowly is sent away, and nobody else notices", () => {
  const cleanup = new Cleanup();
  let state: StateDir;
  let framesFile: string;

  before(async () => {
    ({ stateDir: state } = await startLoneDaemon(cleanup, {
      toml: "seal_interval_ms = 1000\n[limits]\nconnections_per_uid = 2000\n",
    }));
    framesFile = join(state.path, "frame");
    writeFileSync(framesFile, requestFrame(5));
  });
  after(() => cleanup.run());

  /** A client that sends a frame each 25 ms. */
  function good(name: string): Peer {
    return Peer.start(cleanup, state.agentSocket, {
      app: name,
      instancePrefix: name.padEnd(24, "0"),
      connections: CONNECTIONS,
      connectWithinMs: 300,
      behaviour: "paced",
      everyMs: 300,
      frames: FRAMES,
      framesFile,
    });
  }

  test(`${DRIPPERS} connections that drip bytes of a message are closed, each with a sentence`, async (t) => {
    const alone = await good("a").waitFor("alone", PATIENCE_MS, ({ finished }) => finished === CONNECTIONS);
    const drippers = Peer.start(cleanup, state.agentSocket, {
      app: "drip",
      instancePrefix: "d".repeat(24),
      connections: DRIPPERS,
      comesAgain: true,
      connectWithinMs: 500,
      behaviour: "drip",
      everyMs: 200,
    });
    await drippers.waitFor("all drip", PATIENCE_MS, ({ welcomed }) => welcomed === DRIPPERS);
    const beside = good("b");
    const end = await drippers.waitFor("all are closed", PATIENCE_MS, ({ closed }) => closed === DRIPPERS);
    assert.deepEqual(end.refused, { FRAME_INCOMPLETE: DRIPPERS });
    assert.equal(end.closedSilently, 0);
    assert.match(
      end.refusals[0] ?? "",
      /^a message was begun and not finished within 5 s: send each at once/,
    );
    const { ackedFrames, closed, ackP99Ms } = await beside.waitFor(
      "beside",
      PATIENCE_MS,
      ({ finished }) => finished === CONNECTIONS,
    );
    assert.deepEqual([ackedFrames, closed], [CONNECTIONS * FRAMES, 0]);
    const { intake } = await state.status();
    assert.equal(intake.refusedBy?.["message_late"], DRIPPERS);
    assert.equal(intake.sequenceJumps, 0);
    t.diagnostic(
      `p99 from frame to acknowledgement: ${alone.ackP99Ms.toFixed(2)} ms alone, ${ackP99Ms.toFixed(2)} ms beside ${DRIPPERS} drippers; the slowest was closed after ${end.slowestCloseMs} ms`,
    );
  });

  test("so are those that say nothing, or drip their HELLO", async () => {
    const before = (await state.status()).intake.refusedBy?.["hello_late"] ?? 0;
    const peers = (["silent", "drip-hello"] as const).map((behaviour) =>
      Peer.start(cleanup, state.agentSocket, {
        app: behaviour,
        connections: SILENT,
        behaviour,
        everyMs: 100,
      }),
    );
    for (const peer of peers) {
      const end = await peer.waitFor("all are closed", PATIENCE_MS, ({ closed }) => closed === SILENT);
      assert.deepEqual(end.refused, { HELLO_MALFORMED: SILENT });
      assert.match(
        end.refusals[0] ?? "",
        /^no HELLO arrived within 2 s of connecting; only agents of apm-daemon/,
      );
    }
    assert.equal((await state.status()).intake.refusedBy?.["hello_late"], before + 2 * SILENT);
  });

  test("an app that is silent between its frames stays connected", async () => {
    const app = Peer.start(cleanup, state.agentSocket, {
      app: "idle",
      behaviour: "paced",
      everyMs: 6_500,
      frames: 2,
      framesFile,
    });
    const { closed, connected } = await app.waitFor(
      "both frames are acknowledged",
      PATIENCE_MS,
      ({ finished }) => finished === 1,
    );
    assert.deepEqual([connected, closed], [1, 0]);
  });
});
