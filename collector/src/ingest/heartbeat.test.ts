import assert from "node:assert/strict";
import { once } from "node:events";
import { mock, test } from "node:test";
import { UPLINK_SUBPROTOCOL } from "@apm-daemon/protocol";
import { WebSocket } from "ws";
import { KeyStore } from "../key-store.ts";
import { HandUplink } from "../testing/hand-uplink.ts";
import { RunningCollector } from "../testing/running-collector.ts";
import { encoded, sampleHeader, sampleRequests } from "../testing/sample-batch.ts";

const BEAT_MS = 5_000;
/** 40 s. */
const SILENT_BEATS = 8;
const KEY_CHECK_MS = 1_000;

test("a daemon that answers no ping is cut after 40 s, that is two pings; one that does stays", async () => {
  const collector = await RunningCollector.start();
  mock.timers.enable({ apis: ["setInterval"] });
  const living = await collector.uplink();
  const headers = { authorization: `Bearer ${collector.key}` };
  const dead = new WebSocket(`${collector.url.replace("http", "ws")}/uplink`, UPLINK_SUBPROTOCOL, {
    headers,
    autoPong: false,
  });
  await once(dead, "open");
  const beat = async (): Promise<void> => {
    mock.timers.tick(BEAT_MS);
    // The answer to a batch comes after the pong that was sent before it.
    assert.equal((await living.deliver(sampleHeader())).type, "ack");
  };
  let pings = 0;
  dead.on("ping", () => pings++);
  for (let beats = 1; beats < SILENT_BEATS; beats++) await beat();
  assert.deepEqual([dead.readyState, pings], [WebSocket.OPEN, 2]);
  const cut = once(dead, "close");
  mock.timers.tick(BEAT_MS);
  assert.equal((await cut)[0], 1006);
  assert.equal(living.socket.readyState, WebSocket.OPEN);
  mock.timers.reset();
  await living.close();
  await collector.end();
});

test("a revoked key cuts the uplinks that use it within a second, and no others", async () => {
  const collector = await RunningCollector.start();
  mock.timers.enable({ apis: ["setInterval"] });
  const keys = new KeyStore(collector.stateDir);
  const other = keys.create("other");
  const kept = await collector.uplink();
  const revoked = await HandUplink.connect(collector.url, other.key);
  keys.revoke("other");
  const closed = once(revoked.socket, "close");
  mock.timers.tick(KEY_CHECK_MS);
  const [code, reason] = (await closed) as [number, Buffer];
  assert.equal(code, 4401);
  assert.match(reason.toString(), /revoked/);
  assert.equal((await kept.deliver(sampleHeader())).type, "ack");
  mock.timers.reset();
  await kept.close();
  await collector.end();
});

test("a batch that comes after its key was revoked is not taken", async () => {
  const collector = await RunningCollector.start();
  mock.timers.enable({ apis: ["setInterval"] });
  const uplink = await collector.uplink();
  for (const { name } of new KeyStore(collector.stateDir).list())
    new KeyStore(collector.stateDir).revoke(name);
  const closed = once(uplink.socket, "close");
  uplink.socket.send(encoded(sampleHeader({ actions: [sampleRequests([1_000], { app: "too late" })] })));
  assert.equal((await closed)[0], 4401);
  assert.deepEqual(uplink.takeReceived(), []);
  assert.deepEqual((await collector.get<{ apps: unknown[] }>("apps")).body.apps, []);
  mock.timers.reset();
  await collector.end();
});
