import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { crc32, gzipSync } from "node:zlib";
import { BATCH_PREFIX_BYTES, MAX_UPLINK_MESSAGE_BYTES } from "@apm-daemon/protocol";
import { batchFile, oneRequest } from "../support/batches.ts";
import { Cleanup } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { forgetPeak, peakResidentBytes, residentBytes } from "../support/resident-memory.ts";
import { type Collector, createKeyFile, StateDir, startCollector } from "../support/system.ts";
import { UplinkSocket } from "../support/uplink-socket.ts";

const STRANGERS = 1_000;
const MAX_GROWTH_BYTES = 20 * 1_048_576;
const STREAM = randomUUID();

describe("S6: hostile peers of the collector", {
  skip: process.platform === "linux" ? false : "reads memory from Linux's /proc",
}, () => {
  const cleanup = new Cleanup();
  let collector: Collector;
  let key: string;
  let number = 0;

  before(async () => {
    collector = await startCollector(cleanup, new StateDir(cleanup));
    key = readFileSync(await createKeyFile(collector.stateDir, "known"), "utf8").trim();
    await assertServes();
  });
  after(() => cleanup.run());

  async function uplink(): Promise<UplinkSocket> {
    const socket = await UplinkSocket.open(cleanup, collector.uplinkUrl, key);
    socket.sendHello(STREAM);
    await socket.waitFor("welcome");
    return socket;
  }

  async function assertServes(): Promise<void> {
    const socket = await uplink();
    socket.send(batchFile(STREAM, ++number, { actions: [oneRequest("good", "GET /")] }));
    await socket.waitFor("ack");
    socket.terminate();
  }

  /** What the collector's memory grew by at most while something was done to it. */
  async function peakGrowth(attack: () => Promise<void>): Promise<number> {
    const before = residentBytes(collector.program.pid);
    forgetPeak(collector.program.pid);
    await attack();
    return peakResidentBytes(collector.program.pid) - before;
  }

  async function stranger(text: string): Promise<Socket> {
    const socket = connect(collector.port, "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(text);
    return socket;
  }

  test("1,000 strangers that never hang up: they are hung up on, cost little, and keep no daemon out", async (t) => {
    const upgrade = [
      "GET /uplink HTTP/1.1",
      "host: x",
      "connection: Upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
      "sec-websocket-protocol: apm-uplink.v1",
      `authorization: Bearer ${"x".repeat(32)}`,
    ].join("\r\n");
    const kinds = ["", "GET /uplink HTTP/1.1\r\nhost:", `${upgrade}\r\n\r\n\x82\x7f${"\xff".repeat(10_000)}`];
    const growth = await peakGrowth(async () => {
      const sockets: Socket[] = [];
      for (let i = 0; i < STRANGERS; i++) sockets.push(await stranger(kinds[i % kinds.length] ?? ""));
      cleanup.add(() => {
        for (const socket of sockets) socket.destroy();
      });
      await assertServes();
      await eventually("all strangers are gone", 30_000, () => {
        const left = sockets.filter((socket) => !socket.destroyed && !socket.readableEnded).length;
        for (const socket of sockets) socket.resume();
        assert.equal(left, 0);
      });
    });
    t.diagnostic(`${(growth / 1_048_576).toFixed(1)} MiB at most`);
    assert.ok(growth <= MAX_GROWTH_BYTES, `${growth} bytes`);
    await assertServes();
  });

  test("bombs are refused without their weight", async (t) => {
    const socket = await uplink();
    const body = gzipSync(Buffer.alloc(64 * 1_048_576));
    const liar = Buffer.from(body);
    liar.writeUInt32LE(1_000, liar.length - 4);
    const rows = batchFile(STREAM, 1_000_000, {
      actions: Array.from({ length: 100_000 }, () => ({})) as never,
    });
    const bombs = [bomb(body), bomb(liar), rows];
    const growth = await peakGrowth(async () => {
      for (let round = 0; round < 5; round++) {
        for (const bytes of bombs) {
          socket.send(bytes);
          const nack = await socket.waitFor("nack");
          assert.deepEqual([nack.code, nack.permanent], ["BATCH_MALFORMED", true], nack.message);
        }
      }
    });
    t.diagnostic(`${(growth / 1_048_576).toFixed(1)} MiB at most`);
    assert.ok(growth <= MAX_GROWTH_BYTES, `${growth} bytes`);
    await assertServes();
  });

  test("a message over the limit, one in very many pieces, a browser's page: each is turned away, the others served", async () => {
    const large = await uplink();
    large.send(Buffer.alloc(MAX_UPLINK_MESSAGE_BYTES + 1));
    const pieces = await uplink();
    for (let i = 0; i < 1_000; i++) pieces.sendPiece("x");
    await eventually("both are closed", 10_000, () => assert.ok(!large.isOpen && !pieces.isOpen));
    const page = await fetch(`${collector.url}/uplink`, {
      headers: { origin: "https://evil.example", authorization: `Bearer ${key}` },
    });
    assert.notEqual(page.status, 200);
    await assertServes();
  });

  test("compression is never agreed to", async () => {
    const socket = await stranger(
      [
        "GET /uplink HTTP/1.1",
        "host: x",
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
        "sec-websocket-protocol: apm-uplink.v1",
        "sec-websocket-extensions: permessage-deflate",
        `authorization: Bearer ${key}`,
        "",
        "",
      ].join("\r\n"),
    );
    const [answer] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    assert.match(answer.toString("latin1"), /^HTTP\/1\.1 101 /);
    assert.doesNotMatch(answer.toString("latin1"), /sec-websocket-extensions/i);
  });
});

/** A batch with a body that is not what it should be, under a right checksum. */
function bomb(body: Buffer): Buffer {
  const prefix = Buffer.from(batchFile(STREAM, 999_999, {}).subarray(0, BATCH_PREFIX_BYTES));
  prefix.writeUInt32LE(crc32(body), 32);
  prefix.writeUInt32LE(body.length, 36);
  return Buffer.concat([prefix, body]);
}
