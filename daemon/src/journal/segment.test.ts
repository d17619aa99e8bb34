import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { JournalRecord } from "./journal-record.ts";
import { type DamagedRange, readSegment } from "./read-segment.ts";
import { MarkedSegment, SEGMENT_HEADER_BYTES, segmentFormatOf } from "./segment.ts";

interface Written {
  bytes: Buffer;
  records: JournalRecord[];
  /** Where each record begins; the last one is the end. */
  edges: number[];
}

function segmentOf(payloads: readonly Uint8Array[], format: MarkedSegment = new MarkedSegment()): Written {
  const json = '{"app":"shop"}';
  const parts: Buffer[] = [format.encodeHeader(0)];
  const edges = [SEGMENT_HEADER_BYTES];
  const add = (...record: Buffer[]): void => {
    parts.push(...record);
    edges.push((edges.at(-1) as number) + record.reduce((sum, { length }) => sum + length, 0));
  };
  add(format.encodeInstanceRecord(SEGMENT_HEADER_BYTES, 1, json));
  const records: JournalRecord[] = [{ type: "instance", reference: 1, json }];
  payloads.forEach((bytes, i) => {
    const payload = Buffer.from(bytes);
    add(format.encodeFramePrefix(edges.at(-1) as number, 1, 1_000 + i, 4, payload), payload);
    records.push({ type: "frame", reference: 1, receivedUnixMs: 1_000 + i, messageType: 4, payload });
  });
  return { bytes: Buffer.concat(parts), records, edges };
}

function read(bytes: Buffer): { records: JournalRecord[]; offsets: number[]; damaged: DamagedRange[] } {
  const records: JournalRecord[] = [];
  const offsets: number[] = [];
  const damaged = readSegment(bytes, (record, offset) => {
    records.push(record);
    offsets.push(offset);
  });
  return { records, offsets, damaged };
}

/** Ranges from one edge to another. */
function range(from: number, to: number): DamagedRange[] {
  return from === to ? [] : [{ offset: from, bytes: to - from }];
}

const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 6 });

test("what is written is read back, each record with its offset", () => {
  fc.assert(
    fc.property(payloads, (texts) => {
      const { bytes, records, edges } = segmentOf(texts);
      assert.deepEqual(read(bytes), { records, offsets: edges.slice(0, -1), damaged: [] });
    }),
  );
});

test("the layout is what the head of segment.ts says", () => {
  const format = new MarkedSegment(0x01020304);
  const payload = Buffer.from("ab");
  const head = "41504d4a020000000102000000000000040302010e7930ab";
  assert.equal(format.encodeHeader(513).toString("hex"), head + head);
  // Marker, checksum, bytes; type, reference, JSON.
  assert.equal(
    format.encodeInstanceRecord(48, 7, "{}").toString("hex"),
    ["04030201", "0144674b", "07000000", "01", "07000000", "7b7d"].join(""),
  );
  // Marker, checksum, bytes; type, reference, time of receipt, message type, payload.
  assert.equal(
    Buffer.concat([format.encodeFramePrefix(67, 7, 1.5, 4, payload), payload]).toString("hex"),
    ["04030201", "3231e1e9", "10000000", "02", "07000000", "000000000000f83f", "04", "6162"].join(""),
  );
});

test("a segment cut at any byte keeps every record that is whole", () => {
  const { bytes, records, edges } = segmentOf(["first", "second"].map((text) => Buffer.from(text)));
  for (let length = SEGMENT_HEADER_BYTES; length <= bytes.length; length++) {
    const whole = edges.filter((edge) => edge <= length).length - 1;
    const { records: found, damaged } = read(bytes.subarray(0, length));
    assert.deepEqual(found, records.slice(0, whole), `cut to ${length} bytes`);
    assert.deepEqual(damaged, range(edges[whole] as number, length));
  }
});

test("a head cut short, and foreign bytes, hold nothing, and say how much they hid", () => {
  const { bytes } = segmentOf([Buffer.from("x")]);
  for (let length = 0; length < 24; length++)
    assert.deepEqual(read(bytes.subarray(0, length)), {
      records: [],
      offsets: [],
      damaged: range(0, length),
    });
  const script = Buffer.from("#!/bin/sh\necho this is no journal\n");
  assert.deepEqual(read(script).damaged, range(0, script.length));
});

test("damage to the head, at any byte, is healed by its second copy", () => {
  const { bytes, records } = segmentOf(["one", "two"].map((text) => Buffer.from(text)));
  for (let at = 0; at < SEGMENT_HEADER_BYTES; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] as number) ^ 255;
    assert.deepEqual(read(damaged).records, records, `byte ${at}`);
  }
  const gone = Buffer.from(bytes);
  gone.fill(0, 0, 24);
  assert.deepEqual(read(gone).records, records);
});

test("a format of a later release is told from damage", () => {
  const later = new MarkedSegment().encodeHeader(0);
  later[4] = 3;
  later[28] = 3;
  assert.equal(segmentFormatOf(later), "newer");
  later[0] = 0;
  assert.equal(segmentFormatOf(later), "damaged");
  assert.equal(segmentFormatOf(Buffer.alloc(0)), "damaged");
});

test("zeros at the end, as a power cut leaves them, end the readable part", () => {
  const { bytes, records } = segmentOf([Buffer.from("kept")]);
  const padded = Buffer.concat([bytes, Buffer.alloc(4_096)]);
  assert.deepEqual(read(padded).records, records);
  assert.deepEqual(read(padded).damaged, range(bytes.length, padded.length));
});

test("a flipped bit anywhere in a record, also in its length, costs only this record", () => {
  const { bytes, records, edges } = segmentOf(
    ["one", "two", "three", "four"].map((text) => Buffer.from(text)),
  );
  records.forEach((_, index) => {
    const start = edges[index] as number;
    const end = edges[index + 1] as number;
    for (let at = start; at < end; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      const found = read(damaged);
      assert.deepEqual(found.records, records.toSpliced(index, 1), `byte ${at}`);
      assert.deepEqual(found.damaged, range(start, end));
    }
  });
});

test("10 000 segments with random damage: all records that it did not touch are there, and none is made up", () => {
  const anyDamage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(payloads, anyDamage, (texts, damages) => {
      const { bytes, records, edges } = segmentOf(texts);
      const damaged = Buffer.from(bytes);
      for (const [place, mask] of damages) {
        const at = SEGMENT_HEADER_BYTES + (place % (bytes.length - SEGMENT_HEADER_BYTES));
        damaged[at] = (damaged[at] as number) ^ mask;
      }
      const isTouched = (index: number): boolean =>
        !damaged
          .subarray(edges[index], edges[index + 1])
          .equals(bytes.subarray(edges[index], edges[index + 1]));
      assert.deepEqual(
        read(damaged).records,
        records.filter((_, index) => !isTouched(index)),
      );
    }),
    { numRuns: 10_000 },
  );
});

test("records inside of a frame, as a hostile app could send them, are not taken for records after damage", () => {
  const format = new MarkedSegment();
  const inner = segmentOf([Buffer.from("made up")], new MarkedSegment()).bytes;
  // The worst case: an app that has read the segment's own marker, and guesses nothing but the place.
  const known = segmentOf([Buffer.from("made up")], format).bytes.subarray(SEGMENT_HEADER_BYTES);
  const { bytes, records, edges } = segmentOf(
    [inner, Buffer.from("next"), Buffer.concat([Buffer.alloc(1), known]), Buffer.from("last")],
    format,
  );
  for (const index of [1, 3]) {
    const damaged = Buffer.from(bytes);
    damaged.fill(0, edges[index], (edges[index] as number) + 12);
    assert.deepEqual(read(damaged).records, records.toSpliced(index, 1));
  }
});

test("an instance has its name also when one of its announcements is damaged, and comes before its frames", () => {
  const format = new MarkedSegment();
  const payload = Buffer.from("x");
  const json = '{"app":"shop"}';
  const first = format.encodeInstanceRecord(SEGMENT_HEADER_BYTES, 1, json);
  const frameAt = SEGMENT_HEADER_BYTES + first.length;
  const frame = Buffer.concat([format.encodeFramePrefix(frameAt, 1, 1, 4, payload), payload]);
  const second = format.encodeInstanceRecord(frameAt + frame.length, 1, json);
  const bytes = Buffer.concat([format.encodeHeader(0), first, frame, second]);
  const types = (): string[] => read(bytes).records.map(({ type }) => type);
  assert.deepEqual(types(), ["instance", "instance", "frame"]);
  bytes[SEGMENT_HEADER_BYTES + 20] = 0;
  assert.deepEqual(types(), ["instance", "frame"]);
});

test("a length beyond the file does not reach beyond it", () => {
  const { bytes, records, edges } = segmentOf([Buffer.from("a"), Buffer.from("b")]);
  bytes.writeUInt32LE(0xffffffff, (edges[1] as number) + 8);
  assert.deepEqual(read(bytes).records, records.toSpliced(1, 1));
});
