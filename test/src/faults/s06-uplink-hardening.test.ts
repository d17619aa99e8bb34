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

  async function assertServes(rows = 1): Promise<void> {
    const socket = await uplink();
    const actions = Array.from({ length: rows }, (_, i) => oneRequest("good", `GET /${i}`));
    socket.send(batchFile(STREAM, ++number, { actions }));
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
    const upgrade = upgradeRequest("x".repeat(32));
    const kinds = ["", "GET /uplink HTTP/1.1\r\nhost:", `${upgrade}\x82\x7f${"\xff".repeat(10_000)}`];
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
      actions: Array.from({ length: 50_000 }, () => ({})) as never,
    });
    // Real batches of some size first: what they need is no bomb's fault.
    for (let i = 0; i < 10; i++) await assertServes(2_000);
    for (const [name, bytes] of Object.entries({ announced: bomb(body), liar: bomb(liar), rows })) {
      const growth = await peakGrowth(async () => {
        for (let round = 0; round < 5; round++) {
          socket.send(bytes);
          const nack = await socket.waitFor("nack");
          assert.deepEqual([nack.code, nack.permanent], ["BATCH_MALFORMED", true], nack.message);
        }
      });
      t.diagnostic(`${name}: ${(growth / 1_048_576).toFixed(1)} MiB at most`);
      assert.ok(growth <= MAX_GROWTH_BYTES, `${name}: ${growth} bytes`);
    }
    await assertServes();
  });

  test("a message over the limit, one in very many pieces, a browser's page: each is turned away, the others served", async () => {
    const large = await uplink();
    large.send(Buffer.alloc(MAX_UPLINK_MESSAGE_BYTES + 1));
    const pieces = await uplink();
    for (let i = 0; i < 1_000; i++) pieces.sendPiece("x");
    await eventually("both are closed", 10_000, () => assert.ok(!large.isOpen && !pieces.isOpen));
    const page = await stranger(upgradeRequest(key, "origin: https://evil.example"));
    const [refusal] = (await once(page, "data")) as [Buffer];
    assert.match(refusal.toString("latin1"), /^HTTP\/1\.1 403 /);
    await assertServes();
  });

  test("compression is never agreed to", async () => {
    const socket = await stranger(upgradeRequest(key, "sec-websocket-extensions: permessage-deflate"));
    const [answer] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    assert.match(answer.toString("latin1"), /^HTTP\/1\.1 101 /);
    assert.doesNotMatch(answer.toString("latin1"), /sec-websocket-extensions/i);
  });
});

function upgradeRequest(key: string, ...headers: string[]): string {
  return [
    "GET /uplink HTTP/1.1",
    "host: x",
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-protocol: apm-uplink.v1",
    `authorization: Bearer ${key}`,
    ...headers,
    "\r\n",
  ].join("\r\n");
}

/** A batch with a body that is not what it should be, under a right checksum. */
function bomb(body: Buffer): Buffer {
  const prefix = Buffer.from(batchFile(STREAM, 999_999, {}).subarray(0, BATCH_PREFIX_BYTES));
  prefix.writeUInt32LE(crc32(body), 32);
  prefix.writeUInt32LE(body.length, 36);
  return Buffer.concat([prefix, body]);
}
