import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { sendHellos, startHello } from "../support/apps.ts";
import { batchFile, oneRequest } from "../support/batches.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { type Collector, createKeyFile, StateDir, startCollector, startDaemon } from "../support/system.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

const REPLAYS = 10;
/** The collector's 101 has about 250 bytes; its WELCOME and all acknowledgements after it are lost. */
const UPGRADE_BYTES = 300;
const CUTS = 4;

describe("R29: a batch that comes again is counted once", () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let keyFile: string;

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    keyFile = await createKeyFile(collector.stateDir, "replayed");
  });
  after(() => cleanup.run());

  test("ten times at once on ten connections, and ten times more after a kill -9 of the collector", async () => {
    const stream = randomUUID();
    const batch = batchFile(stream, 1, { actions: [oneRequest("replayed", "GET /", { requests: 7 })] });
    const sendAll = async (): Promise<void> => {
      const key = readFileSync(keyFile, "utf8").trim();
      const sockets = await Promise.all(
        Array.from({ length: REPLAYS }, () => UplinkSocket.open(cleanup, collector.uplinkUrl, key)),
      );
      for (const socket of sockets) {
        socket.sendHello(stream);
        await socket.waitFor("welcome");
      }
      for (const socket of sockets) socket.send(batch);
      for (const socket of sockets) await socket.waitFor("ack");
    };
    const { api } = collector;
    await sendAll();
    assert.equal(await api.requestCount("replayed"), 7);
    await collector.program.kill();
    collector = await startCollector(cleanup, collector.stateDir, collector.port);
    await sendAll();
    assert.equal(await api.requestCount("replayed"), 7);
  });

  test("acknowledgements that a proxy loses make the daemon send again: every request is there once", async (t) => {
    const proxy = await TcpProxy.start(cleanup, collector.port);
    const stateDir = new StateDir(cleanup);
    const daemon = await startDaemon(cleanup, {
      stateDir,
      collectorUrl: `ws://127.0.0.1:${proxy.port}`,
      keyFile,
      toml: "seal_interval_ms = 1000\n",
    });
    const hello = await startHello(cleanup, { by: "--require", socket: stateDir.agentSocket });
    let sent = 0;
    const more = async (): Promise<void> => {
      await sendHellos(hello, 20);
      sent += 20;
    };
    await more();
    await eventually("the first are in the API", 30_000, async () => {
      assert.equal(await collector.api.requestCount("hello"), sent);
    });
    for (let cut = 0; cut < CUTS; cut++) {
      // Only the connection that is there goes deaf; the next one hears, and is made deaf in its turn.
      const swallowedBefore = proxy.swallowedBytes;
      proxy.answersOnlyBytes = UPGRADE_BYTES;
      await more();
      await eventually("the collector has it, and its word was lost", 30_000, async () => {
        assert.equal(await collector.api.requestCount("hello"), sent);
        assert.ok(proxy.swallowedBytes > swallowedBefore);
      });
      proxy.answersOnlyBytes = Number.POSITIVE_INFINITY;
      proxy.cut();
      await eventually("the batch was sent again and acknowledged", 30_000, async () => {
        assert.equal((await stateDir.status()).outbox.batches, 0);
      });
    }
    t.diagnostic(`${proxy.connections} connections, ${proxy.swallowedBytes} bytes of answers lost`);
    assert.ok(proxy.connections > CUTS);
    await daemon.stop();
    assert.equal(await collector.api.requestCount("hello"), sent);
  });
});
