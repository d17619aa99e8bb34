import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  encodeFramePrefix,
  encodeInstanceRecord,
  encodeSegmentHeader,
  type JournalRecord,
  readSegment,
  SEGMENT_HEADER_BYTES,
} from "./segment.ts";

interface Written {
  bytes: Buffer;
  records: JournalRecord[];
  /** Where each record begins; the last one is the end. */
  edges: number[];
}

function segmentOf(payloads: readonly Uint8Array[]): Written {
  const parts: Buffer[] = [encodeSegmentHeader(0), encodeInstanceRecord(1, '{"app":"shop"}')];
  const records: JournalRecord[] = [{ type: "instance", reference: 1, json: '{"app":"shop"}' }];
  const edges = [SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + (parts[1] as Buffer).length];
  payloads.forEach((bytes, i) => {
    const payload = Buffer.from(bytes);
    parts.push(encodeFramePrefix(1, 1_000 + i, 4, payload), payload);
    records.push({ type: "frame", reference: 1, receivedUnixMs: 1_000 + i, messageType: 4, payload });
    edges.push((edges.at(-1) as number) + (parts.at(-2) as Buffer).length + payload.length);
  });
  return { bytes: Buffer.concat(parts), records, edges };
}

function read(bytes: Buffer): { records: JournalRecord[]; offsets: number[]; unreadableBytes: number } {
  const records: JournalRecord[] = [];
  const offsets: number[] = [];
  const { unreadableBytes } = readSegment(bytes, (record, offset) => {
    records.push(record);
    offsets.push(offset);
  });
  return { records, offsets, unreadableBytes };
}

const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 6 });

test("what is written is read back, each record with its offset", () => {
  fc.assert(
    fc.property(payloads, (texts) => {
      const { bytes, records, edges } = segmentOf(texts);
      assert.deepEqual(read(bytes), { records, offsets: edges.slice(0, -1), unreadableBytes: 0 });
    }),
  );
});

test("the layout is what the head of segment.ts says", () => {
  const payload = Buffer.from("ab");
  const header = encodeSegmentHeader(513);
  const instance = encodeInstanceRecord(7, "{}");
  const frame = Buffer.concat([encodeFramePrefix(7, 1.5, 4, payload), payload]);
  assert.equal(header.toString("hex"), "41504d4a010000000102000000000000");
  // Bytes, checksum; type, reference, JSON.
  assert.equal(instance.toString("hex"), "07000000ce4961c401070000007b7d");
  // Bytes, checksum; type, reference, time of receipt, message type, payload.
  assert.equal(frame.toString("hex"), "10000000096045f80207000000000000000000f83f046162");
});

test("a torn last record at any byte costs only itself", () => {
  const { bytes, records, edges } = segmentOf([
    Buffer.from("first"),
    Buffer.from("second"),
    Buffer.from("third"),
  ]);
  for (let length = SEGMENT_HEADER_BYTES; length <= bytes.length; length++) {
    const whole = edges.filter((edge) => edge <= length).length - 1;
    const expected = { records: records.slice(0, whole), unreadableBytes: length - (edges[whole] as number) };
    const { records: found, unreadableBytes } = read(bytes.subarray(0, length));
    assert.deepEqual({ records: found, unreadableBytes }, expected, `cut to ${length} bytes`);
  }
});

test("a torn head, another version and foreign bytes hold nothing, and say how much they hid", () => {
  const { bytes } = segmentOf([Buffer.from("x")]);
  for (let length = 0; length < SEGMENT_HEADER_BYTES; length++)
    assert.deepEqual(read(bytes.subarray(0, length)), { records: [], offsets: [], unreadableBytes: length });
  const newer = Buffer.from(bytes);
  newer[4] = 2;
  assert.deepEqual(read(newer), { records: [], offsets: [], unreadableBytes: bytes.length });
  assert.equal(read(Buffer.from("#!/bin/sh\necho this is no journal\n")).records.length, 0);
});

test("zeros at the end, as a power cut leaves them, end the readable part", () => {
  const { bytes, records } = segmentOf([Buffer.from("kept")]);
  const padded = Buffer.concat([bytes, Buffer.alloc(4_096)]);
  assert.deepEqual(read(padded).records, records);
  assert.equal(read(padded).unreadableBytes, 4_096);
});

test("a flipped bit in a record's payload or checksum costs only this record", () => {
  const { bytes, records, edges } = segmentOf(
    ["one", "two", "three", "four"].map((text) => Buffer.from(text)),
  );
  for (let index = 0; index < records.length; index++) {
    const start = edges[index] as number;
    const end = edges[index + 1] as number;
    for (let at = start + 4; at < end; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      const found = read(damaged);
      assert.deepEqual(found.records, records.toSpliced(index, 1), `byte ${at}`);
      assert.equal(found.unreadableBytes, end - start);
    }
  }
});

test("whatever bits flip, no record is made up, and those before the damage are there", () => {
  const anyDamage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(payloads, anyDamage, (texts, damages) => {
      const { bytes, records, edges } = segmentOf(texts);
      const damaged = Buffer.from(bytes);
      let first = bytes.length;
      for (const [place, mask] of damages) {
        const at = SEGMENT_HEADER_BYTES + (place % (bytes.length - SEGMENT_HEADER_BYTES));
        damaged[at] = (damaged[at] as number) ^ mask;
        if (damaged[at] !== bytes[at]) first = Math.min(first, at);
      }
      const found = read(damaged);
      const before = edges.filter((edge) => edge <= first).length - 1;
      assert.deepEqual(found.records.slice(0, before), records.slice(0, before));
      found.records.forEach((record, i) => {
        const index = edges.indexOf(found.offsets[i] as number);
        assert.deepEqual(record, records[index]);
      });
    }),
    { numRuns: 2_000 },
  );
});

test("a length beyond the file does not reach beyond it", () => {
  const { bytes, records, edges } = segmentOf([Buffer.from("a"), Buffer.from("b")]);
  bytes.writeUInt32LE(0xffffffff, edges[1]);
  assert.deepEqual(read(bytes).records, records.slice(0, 1));
});
