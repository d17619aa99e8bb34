import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { MAX_MESSAGE_BYTES } from "./limits.ts";
import { encodeMessage, MessageReader, MessageType, sequenceOf, writeSequence } from "./message.ts";

interface Seen {
  type: number;
  payload: string;
}

function readAll(chunks: Iterable<Buffer>): { seen: Seen[]; pendingBytes: number } {
  const seen: Seen[] = [];
  const reader = new MessageReader((type, payload) => seen.push({ type, payload: payload.toString("hex") }));
  for (const chunk of chunks) reader.push(chunk);
  return { seen, pendingBytes: reader.pendingBytes };
}

function header(lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(lengthBytes, 0);
  return bytes;
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

test("messages come out whole and in order, however the stream is cut", () => {
  const message = fc.record({
    type: fc.integer({ min: 0, max: 255 }),
    payload: fc.uint8Array({ maxLength: 40 }),
  });
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(message), sizes, fc.uint8Array({ maxLength: 3 }), (messages, chunkSizes, tail) => {
      const frames = messages.map(({ type, payload }) =>
        Buffer.concat([header(payload.length + 1), Buffer.from([type]), payload]),
      );
      const { seen, pendingBytes } = readAll(cut(Buffer.concat([...frames, tail]), chunkSizes));
      assert.deepEqual(
        seen,
        messages.map(({ type, payload }) => ({ type, payload: Buffer.from(payload).toString("hex") })),
      );
      assert.equal(pendingBytes, tail.length);
    }),
    { numRuns: 500 },
  );
});

test("a reader given a chunk that is overwritten afterwards keeps its own copy of the unfinished message", () => {
  const message = encodeMessage(MessageType.bye, Buffer.from("abcdef"));
  const chunk = Buffer.from(message.subarray(0, 8));
  const seen: string[] = [];
  const reader = new MessageReader((_type, payload) => seen.push(payload.toString()));
  reader.push(chunk);
  chunk.fill(0);
  reader.push(message.subarray(8));
  assert.deepEqual(seen, ["abcdef"]);
});

test("payloads stay as they were when later chunks arrive", () => {
  const texts = Array.from({ length: 200 }, (_, i) => `payload number ${i}`);
  const stream = Buffer.concat(texts.map((text) => encodeMessage(MessageType.bye, Buffer.from(text))));
  for (const size of [1, 7, 24, 100, 4_096]) {
    const payloads: Buffer[] = [];
    const reader = new MessageReader((_type, payload) => payloads.push(payload));
    for (const chunk of cut(stream, [size])) reader.push(chunk);
    assert.deepEqual(payloads.map(String), texts);
  }
});

test("the largest message passes, one byte more is refused by writer and reader", () => {
  const largest = encodeMessage(MessageType.spans, Buffer.alloc(MAX_MESSAGE_BYTES - 1, 7));
  const { seen, pendingBytes } = readAll(cut(largest, [65_536]));
  assert.deepEqual(
    seen.map(({ type, payload }) => [type, payload.length / 2]),
    [[MessageType.spans, MAX_MESSAGE_BYTES - 1]],
  );
  assert.equal(pendingBytes, 0);

  assert.throws(() => encodeMessage(MessageType.spans, Buffer.alloc(MAX_MESSAGE_BYTES)), {
    code: "FRAME_TOO_LARGE",
  });
  assert.throws(() => readAll([header(MAX_MESSAGE_BYTES + 1)]), {
    code: "FRAME_TOO_LARGE",
    context: { frameBytes: MAX_MESSAGE_BYTES + 1, limitBytes: MAX_MESSAGE_BYTES },
  });
});

test("a length is judged before its message arrives", () => {
  assert.equal(readAll([header(MAX_MESSAGE_BYTES)]).pendingBytes, 4);
  assert.throws(() => readAll([header(0xffffffff)]), { code: "FRAME_TOO_LARGE" });
  assert.throws(() => readAll(cut(header(0xffffffff), [1])), { code: "FRAME_TOO_LARGE" });
});

test("a message without a type byte is malformed", () => {
  assert.throws(() => readAll([header(0)]), { code: "FRAME_MALFORMED" });
  assert.throws(() => readAll(cut(Buffer.alloc(64), [3])), { code: "FRAME_MALFORMED" });
});

test("other protocols are refused at their first four bytes", () => {
  const httpRequest = Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const tlsClientHello = Buffer.from("1603010200010001fc0303", "hex");
  for (const chunk of [httpRequest, tlsClientHello])
    assert.throws(() => readAll([chunk.subarray(0, 4)]), { code: "FRAME_TOO_LARGE" });
});

test("messages before the one that breaks the stream are delivered", () => {
  const seen: number[] = [];
  const reader = new MessageReader((type) => seen.push(type));
  const bytes = Buffer.concat([encodeMessage(MessageType.bye, Buffer.from("{}")), header(0)]);
  assert.throws(() => reader.push(bytes), { code: "FRAME_MALFORMED" });
  assert.deepEqual(seen, [MessageType.bye]);
});

test("sequence numbers pass up to 2^53 - 1; beyond, and in too few bytes, they are malformed", () => {
  const payload = Buffer.alloc(8);
  for (const sequence of [0, 1, 0xffffffff, 0x100000000, Number.MAX_SAFE_INTEGER]) {
    writeSequence(payload, 0, sequence);
    assert.equal(payload.readBigUInt64LE(0), BigInt(sequence));
    assert.equal(sequenceOf(payload), sequence);
  }
  for (const sequence of [2n ** 53n, 2n ** 64n - 1n]) {
    payload.writeBigUInt64LE(sequence);
    assert.throws(() => sequenceOf(payload), { code: "FRAME_MALFORMED" });
  }
  assert.throws(() => sequenceOf(Buffer.alloc(7)), { code: "FRAME_MALFORMED" });
});
