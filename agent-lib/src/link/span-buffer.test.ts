import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { decodeBye, decodeGap, MESSAGE_HEADER_BYTES } from "@apm-daemon/protocol";
import { DaemonPeer, until } from "../test-support/daemon-peer.ts";
import { LinkedTracer } from "../test-support/linked-tracer.ts";
import { BUFFER_BYTES_BESIDE_RING } from "./span-buffer.ts";

const RING_BYTES = 1_048_576;
let peer: DaemonPeer;
let agent: LinkedTracer;

beforeEach(async () => {
  peer = await new DaemonPeer().listen();
  agent = new LinkedTracer(peer.path, RING_BYTES);
});

afterEach(async () => {
  agent.stop();
  await peer.close();
});

function emitWide(count: number): void {
  for (let i = 0; i < count; i++) {
    const span = agent.tracer.startSpan("wide");
    for (let key = 0; key < 100; key++) span.setAttribute(`k${key}`, `${i}.${key}${"x".repeat(900)}`);
    span.end();
  }
}

test("all buffers together stay within their bound: small spans, spans larger than a frame, and both in turn", () => {
  for (let round = 0; round < 30; round++) {
    agent.emit(2_000, "small", "-".repeat(round * 10));
    emitWide(5);
    agent.buffer.flush();
    agent.buffer.addRuntime({
      unixMs: 0,
      eventLoopDelayP99Ms: 0,
      eventLoopUtilizationRatio: 0,
      gcPauseMs: 0,
      heapUsedBytes: 0,
      heapTotalBytes: 0,
      spansCreated: 0,
      spansDropped: 0,
      inFlight: [],
    });
    const most = RING_BYTES + BUFFER_BYTES_BESIDE_RING;
    assert.ok(agent.buffer.heldBytes <= most, `${agent.buffer.heldBytes} in round ${round}`);
  }
  assert.ok(agent.buffer.dropped > 0);
});

test("a span for which the ring has no room is dropped as that, and told", async () => {
  peer.behaviour = { acknowledges: false };
  agent.link.start();
  await until(() => agent.link.state === "ready", "the link is ready");
  emitWide(20);
  assert.ok(agent.buffer.dropped > 0);
  peer.behaviour = {};
  peer.acknowledge(peer.sequences.at(-1) ?? 0);
  agent.buffer.flush();
  await until(() => peer.spans.length + peer.dropped === 20, "each span is there or told of");
  assert.deepEqual(Object.keys(Object.assign({}, ...peer.gaps)), ["agent_ring_full"]);
});

test("drops that a full ring could not take are told by the last frames", () => {
  agent.emit(30_000, "many", "-".repeat(60));
  const { ring } = agent.buffer;
  const { dropped } = agent.buffer;
  assert.ok(ring.isFull && dropped > 0);
  agent.buffer.finish(0);
  const payloadOf = (sequence: number): Buffer =>
    ring.at(sequence)?.message.subarray(MESSAGE_HEADER_BYTES) ?? Buffer.alloc(0);
  assert.deepEqual(decodeGap(payloadOf(ring.nextSequence - 2)).dropped, { agent_ring_full: dropped });
  const bye = decodeBye(payloadOf(ring.nextSequence - 1));
  assert.deepEqual(
    [bye.spansCreated, bye.spansFramed, bye.spansReported],
    [30_000, 30_000 - dropped, dropped],
  );
});
