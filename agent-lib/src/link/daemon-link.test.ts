import assert from "node:assert/strict";
import { chmodSync, existsSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { encodeAck, encodeRefuse, encodeSettings, encodeWelcome } from "@apm-daemon/protocol";
import { DaemonPeer, until } from "../test-support/daemon-peer.ts";
import { LinkedTracer } from "../test-support/linked-tracer.ts";

let peer: DaemonPeer;
let agent: LinkedTracer;

beforeEach(() => {
  peer = new DaemonPeer();
});

afterEach(async () => {
  agent.stop();
  await peer.close();
});

function start(ringBytes?: number): LinkedTracer {
  agent = new LinkedTracer(peer.path, ringBytes);
  agent.link.start();
  return agent;
}

test("frames leave the ring when they are acknowledged", async () => {
  await peer.listen();
  start();
  agent.emit(1_000);
  await until(() => peer.spans.length === 1_000, "all spans arrive");
  await until(() => agent.buffer.ring.heldBytes === 0, "the ring is empty");
  assert.equal(peer.hellos[0]?.firstUnacknowledged, 1);
});

test("what was not acknowledged is sent again, in order, after the daemon comes back", async () => {
  peer.behaviour = { acknowledges: false };
  await peer.listen();
  start();
  for (let i = 1; i <= 5; i++) {
    agent.emit(10, `burst ${i}`);
    agent.buffer.flush();
  }
  await until(() => peer.spans.length === 50, "all arrive once");
  peer.acknowledge(2);
  await until(() => agent.buffer.ring.firstHeld === 3, "two are let go");
  await peer.hangUp();
  agent.emit(10, "while away");
  agent.buffer.flush();
  // The daemon lost frame 5 with its memory, and kept 3 and 4.
  peer.journaled.set("0123456789abcdef0123456789abcdef", 4);
  peer.sequences.length = 0;
  peer.spans.length = 0;
  peer.behaviour = {};
  await peer.listen();
  await until(() => peer.named("while away").length === 10, "the rest arrives");
  assert.deepEqual(peer.sequences, [5, 6]);
  assert.equal(peer.hellos[1]?.firstUnacknowledged, 3);
  await until(() => agent.buffer.ring.heldBytes === 0, "the ring is empty");
});

test("spans wait for a daemon that starts later, and one line says so", async () => {
  start();
  agent.emit(100);
  await until(() => agent.lines.length > 0, "the line is said");
  await peer.listen();
  await until(() => peer.spans.length === 100, "the spans arrive");
  assert.equal(agent.lines.length, 1);
  assert.match(agent.lines[0] ?? "", /no daemon at .*agent\.sock.*apm up/);
});

test("a full ring drops the newest spans and tells exactly how many", async () => {
  peer.behaviour = { acknowledges: false };
  await peer.listen();
  start(262_144);
  await until(() => agent.link.state === "ready", "the link is ready");
  agent.emit(20_000, "many", "-".repeat(60));
  assert.ok(agent.buffer.dropped > 0);
  assert.ok(agent.buffer.ring.heldBytes <= 262_144 + 65_536);
  await until(() => peer.sequences.length > 0, "frames arrive");
  peer.behaviour = {};
  peer.acknowledge(peer.sequences.at(-1) ?? 0);
  await until(() => peer.dropped > 0, "the gap is told");
  agent.emit(5, "after");
  agent.buffer.flush();
  await until(() => peer.named("after").length === 5, "new spans flow again");
  assert.equal(peer.spans.length + peer.dropped, 20_005);
  assert.deepEqual(Object.keys(Object.assign({}, ...peer.gaps)), ["agent_ring_full"]);
});

test("a daemon that stops reading costs bounded memory, and gets what the ring held when it reads again", async () => {
  await peer.listen();
  start(1_048_576);
  await until(() => agent.link.state === "ready", "the link is ready");
  peer.pause();
  for (let i = 0; i < 100; i++) {
    agent.emit(1_000, "paused", "-".repeat(60));
    // The timers of the link get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(agent.buffer.ring.heldBytes <= 1_048_576 + 65_536);
  peer.resume();
  agent.buffer.flush();
  await until(() => peer.spans.length + peer.dropped === 100_000, "all are accounted for");
  assert.equal(peer.dropped, agent.buffer.dropped);
});

const GARBAGE: [what: string, bytes: Buffer][] = [
  ["text", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ["an endless message", Buffer.from([0xff, 0xff, 0xff, 0xff, 1])],
  ["a message without a type", Buffer.from([0, 0, 0, 0])],
  ["an acknowledgement of what was never sent", encodeAck(99)],
  [
    "a welcome that knows what was never made",
    encodeWelcome({
      version: 1,
      lastSequence: 7,
      settings: { sql: "raw", flushIntervalMs: 100, overheadBudgetRatio: 0.03 },
    }),
  ],
  ["a welcome that is no JSON", Buffer.from([3, 0, 0, 0, 2, 123, 123])],
];

for (const [what, bytes] of GARBAGE) {
  test(`${what} in place of a daemon: the agent tries again and loses nothing`, async () => {
    let attempts = 0;
    peer.behaviour = {
      onConnection: (socket) => {
        attempts++;
        if (what.startsWith("an ack"))
          socket.write(
            encodeWelcome({
              version: 1,
              lastSequence: 0,
              settings: { sql: "off", flushIntervalMs: 100, overheadBudgetRatio: 0.03 },
            }),
          );
        socket.write(bytes);
        socket.on("data", () => undefined);
      },
    };
    await peer.listen();
    start();
    agent.emit(10);
    await until(() => attempts >= 2, "it connects again");
    peer.behaviour = {};
    await until(() => peer.spans.length === 10, "the spans arrive at a real daemon");
    assert.equal(agent.buffer.dropped, 0);
  });
}

test("a refusal is said once, and its pause is kept", async () => {
  let attempts = 0;
  peer.behaviour = {
    onConnection: (socket) => {
      attempts++;
      socket.end(
        encodeRefuse({ code: "TOO_MANY_CONNECTIONS", message: "raise the limit", retryAfterMs: 50 }),
      );
    },
  };
  await peer.listen();
  start();
  await until(() => attempts >= 3, "it comes back");
  assert.equal(agent.lines.length, 1);
  assert.match(agent.lines[0] ?? "", /refused this app: raise the limit/);
});

test("settings apply whenever they come", async () => {
  await peer.listen();
  start();
  await until(() => agent.link.state === "ready", "the link is ready");
  peer.send(encodeSettings({ sql: "off", flushIntervalMs: 20, overheadBudgetRatio: 0.03 }));
  agent.emit(1);
  await until(() => peer.spans.length === 1, "the span arrives");
  assert.equal(agent.link.state, "ready");
});

test("a path that no Unix socket can have is refused with a sentence", () => {
  const path = `/tmp/${"x".repeat(120)}.sock`;
  agent = new LinkedTracer(path);
  agent.link.start();
  assert.equal(existsSync(path), false);
  assert.match(agent.lines[0] ?? "", /longer than 107 bytes/);
});

test("stop() delivers what is buffered and says goodbye", async () => {
  await peer.listen();
  start();
  await until(() => agent.link.state === "ready", "the link is ready");
  agent.emit(500);
  agent.stop();
  await until(() => peer.byes.length === 1, "the goodbye arrives");
  assert.equal(peer.spans.length, 500);
  agent.emit(1);
  assert.equal(agent.buffer.dropped, 1);
});

test("a socket that this user must not reach is told as that, not as absent", {
  skip: process.getuid?.() === 0 && "root may enter every folder",
}, async () => {
  await peer.listen();
  chmodSync(peer.folder, 0o000);
  try {
    start();
    await until(() => agent.lines.length > 0, "the line is said");
  } finally {
    chmodSync(peer.folder, 0o700);
  }
  assert.match(agent.lines[0] ?? "", /may not enter or open .*EACCES.*agent\.sock.*APM_SOCKET/);
});
