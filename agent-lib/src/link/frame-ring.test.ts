import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME_BYTES } from "@apm-daemon/protocol";
import { FrameRing } from "./frame-ring.ts";

test("frames are a run of numbers, and leave oldest first", () => {
  const freed: Buffer[] = [];
  const ring = new FrameRing(1_000_000, (message) => freed.push(message));
  for (let i = 0; i < 200; i++) ring.push(Buffer.allocUnsafeSlow(10 + i));
  assert.deepEqual([ring.firstHeld, ring.nextSequence], [1, 201]);
  ring.release(150);
  assert.deepEqual([ring.firstHeld, freed.length, ring.at(150)], [151, 150, undefined]);
  assert.equal(ring.at(151)?.message.length, 160);
  ring.release(10_000);
  assert.deepEqual([ring.firstHeld, ring.heldBytes, freed.length], [201, 0, 200]);
});

test("a ring is full when one more frame of usual size might not fit, and counts whole buffers", () => {
  const ring = new FrameRing(3 * FRAME_BYTES, () => undefined);
  const half = Buffer.allocUnsafeSlow(FRAME_BYTES).subarray(0, FRAME_BYTES / 2 + 1);
  ring.push(half);
  assert.ok(ring.heldBytes > FRAME_BYTES, "the rest of the buffer is held too");
  assert.equal(ring.isFull, false);
  ring.push(Buffer.allocUnsafeSlow(FRAME_BYTES));
  assert.equal(ring.isFull, true);
});

test("a small message does not hold the memory that it is a view of", () => {
  const ring = new FrameRing(1_000_000, () => undefined);
  // Below 4 KiB Node hands out pieces of 8 KiB.
  const gap = Buffer.from("a small message");
  assert.ok(gap.buffer.byteLength > 4_096);
  ring.push(gap);
  const held = ring.at(1)?.message;
  assert.deepEqual(held, gap);
  assert.equal(held?.buffer.byteLength, gap.length);
});
