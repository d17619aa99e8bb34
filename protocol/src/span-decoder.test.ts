import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolError } from "./errors.ts";
import { MAX_FRAME_TABLE_ENTRIES, MAX_MESSAGE_BYTES } from "./limits.ts";
import { MESSAGE_HEADER_BYTES } from "./message.ts";
import type { AttributeValue } from "./shape.ts";
import { decodeSpans, decodeSpansHeader } from "./span-decoder.ts";
import { readSamples, SampleEncoder, sampleSpan } from "./testing/sample-spans.ts";

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}

/** Sequence, base, one span. */
const HEAD = "0100000000000000 0000000000000000 01000000";
/** 0 "s", 1 "k" */
const STRINGS = "01 0100 73 01 0100 6b";
const TRACE = "03 4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7";
const shapeOf = (type: number): string => `02 02 0000 01 0100 0${type}`;
/** A local root of shape 0 and trace 0, up to its mask. */
const ROOT = "81 0000 0000 10000000 05000000";

function valueOf(type: number, value: string): AttributeValue | undefined {
  const { spans } = readSamples(hex(`${HEAD} ${STRINGS} ${shapeOf(type)} ${TRACE} ${ROOT} 03 0000 ${value}`));
  return spans[0]?.attributes[0]?.[1];
}

function refuses(text: string, message: RegExp): void {
  assert.throws(() => readSamples(hex(text)), { code: "FRAME_MALFORMED", message });
}

test("values of every type are read from their bytes", () => {
  assert.equal(valueOf(0, "0100"), "k");
  assert.equal(valueOf(0, "ffff 0300 e8aa9e"), "語");
  assert.equal(valueOf(0, "ffff 0000"), "");
  assert.equal(valueOf(1, "feffffff"), -2);
  assert.equal(valueOf(2, "000000000000e03f"), 0.5);
  assert.equal(valueOf(3, "00"), false);
  assert.equal(valueOf(3, "01"), true);
  assert.deepEqual(valueOf(4, `08000000 ${Buffer.from('["a",1 ]').toString("hex")}`), ["a", 1]);
});

test("a slot that the first span of its shape leaves out has its type's zero", () => {
  const first = (type: number): AttributeValue | undefined =>
    readSamples(hex(`${HEAD} ${STRINGS} ${shapeOf(type)} ${TRACE} ${ROOT} 01 0000`)).spans[0]
      ?.attributes[0]?.[1];
  assert.deepEqual([0, 1, 2, 3, 4].map(first), ["", 0, 0, false, []]);
});

test("an array value holds texts, numbers, booleans and nulls only", () => {
  for (const text of [
    "{}",
    "1",
    '"x"',
    "[{}]",
    "[[]]",
    `[${"[".repeat(1_000)}${"]".repeat(1_000)}]`,
    "[1",
    "",
  ]) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(text.length);
    assert.throws(() => valueOf(4, bytes.toString("hex") + Buffer.from(text).toString("hex")), {
      code: "FRAME_MALFORMED",
    });
  }
});

test("invalid UTF-8 reads as replacement characters", () => {
  assert.equal(valueOf(0, "ffff 0300 61ff62"), "a\ufffdb");
});

test("references to what was not defined are malformed", () => {
  refuses(`${HEAD} ${TRACE} ${ROOT} 01 0000`, /shape or trace/);
  refuses(`${HEAD} ${STRINGS} ${shapeOf(0)} ${ROOT} 01 0000`, /shape or trace/);
  refuses(`${HEAD} ${STRINGS} ${shapeOf(0)} ${TRACE} ${ROOT} 01 0200`, /string 2 was not defined/);
  refuses(`${HEAD} ${STRINGS} ${shapeOf(0)} ${TRACE} ${ROOT} 03 0000 0200`, /string 2 was not defined/);
  refuses(`${HEAD} ${STRINGS} 02 02 0200 00`, /string 2 was not defined/);
  refuses(`${HEAD} ${shapeOf(0)}`, /string 0 was not defined/);
});

test("unknown entries and value types are malformed", () => {
  for (const tag of ["00", "04", "7f"]) refuses(`${HEAD} ${tag}`, /unknown entry/);
  refuses(`${HEAD} ${STRINGS} ${shapeOf(5)}`, /unknown value type 5/);
});

test("long times that are negative, not a number or beyond 2^53 are malformed", () => {
  const long = (ns: number, second: number): string => {
    const bytes = Buffer.alloc(16);
    bytes.writeDoubleLE(second, bytes.writeDoubleLE(ns, 0));
    return `${HEAD} ${STRINGS} ${shapeOf(0)} ${TRACE} a1 0000 0000 ${bytes.toString("hex")} 01 0000`;
  };
  assert.equal(
    readSamples(hex(long(1, Number.MAX_SAFE_INTEGER))).spans[0]?.durationNs,
    Number.MAX_SAFE_INTEGER,
  );
  for (const ns of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    refuses(long(ns, 1), /negative or absurd/);
    refuses(long(1, ns), /negative or absurd/);
  }
});

test("a head that is short, or whose numbers exceed 2^53, is malformed", () => {
  assert.throws(() => decodeSpansHeader(Buffer.alloc(19)), { code: "FRAME_MALFORMED" });
  assert.deepEqual(decodeSpansHeader(Buffer.alloc(20)), { sequence: 0, baseUnixUs: 0, spans: 0 });
  for (const head of [`${"ff".repeat(8)}${"00".repeat(12)}`, `${"00".repeat(8)}${"ff".repeat(8)}00000000`])
    refuses(head, /2\^53/);
});

test("the count in the head must be the number of spans", () => {
  refuses(`${HEAD} ${STRINGS}`, /has 0 spans, its head says 1/);
  refuses(`${HEAD} ${STRINGS} ${shapeOf(0)} ${TRACE} ${ROOT} 03 0000 0100 ${ROOT} 00`, /has 2 spans/);
});

test("a payload cut at any byte is malformed, and the spans before the cut were visited", () => {
  const payload = variedPayload();
  const total = decodeSpansHeader(payload).spans;
  let visitedBefore = 0;
  for (let length = 0; length < payload.length; length++) {
    let visited = 0;
    assert.throws(() => decodeSpans(payload.subarray(0, length), () => visited++), {
      code: "FRAME_MALFORMED",
    });
    assert.ok(visited >= visitedBefore);
    visitedBefore = visited;
  }
  assert.equal(visitedBefore, total - 1);
});

test("what the visitor throws passes through as it is", () => {
  const mine = new RangeError("mine");
  const visit = (): never => {
    throw mine;
  };
  assert.throws(
    () => decodeSpans(variedPayload(), visit),
    (error) => error === mine,
  );
});

test("a table may have as many entries as numbers, one more is malformed", () => {
  const head = hex(HEAD.replace(/01000000$/, "00000000"));
  const entries: Record<string, Buffer> = {
    string: hex("01 0000"),
    shape: hex("02 00 0000 00"),
    trace: Buffer.alloc(25, 3),
  };
  for (const [name, entry] of Object.entries(entries)) {
    const first = name === "shape" ? (entries["string"] ?? Buffer.alloc(0)) : Buffer.alloc(0);
    const frame = (count: number): Buffer =>
      Buffer.concat([head, first, Buffer.alloc(entry.length * count).fill(entry)]);
    assert.equal(decodeSpans(frame(MAX_FRAME_TABLE_ENTRIES), () => {}).spans, 0);
    assert.throws(
      () => decodeSpans(frame(MAX_FRAME_TABLE_ENTRIES + 1), () => {}),
      {
        code: "FRAME_MALFORMED",
        message: /more than 65535/,
      },
      name,
    );
  }
});

test("mutated frames are read or refused with a ProtocolError, and never grow beyond their bytes", () => {
  const payload = variedPayload();
  const random = mulberry32(20_261_123);
  let refused = 0;
  for (let round = 0; round < 25_000; round++) {
    const mutated = mutate(payload, random);
    let visited = 0;
    try {
      decodeSpans(mutated, (span) => {
        visited++;
        // What a reader looks at must be there.
        assert.ok(span.name.length + span.extraJson.length <= mutated.length);
        assert.equal(span.shape.values.length, span.shape.keys.length);
        assert.match(span.trace.traceId, /^[0-9a-f]{32}$/);
        assert.ok(span.durationNs >= 0 && span.endOffsetNs >= 0);
      });
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `round ${round}: ${String(error)}`);
      refused++;
    }
    // The smallest span has 14 bytes.
    assert.ok(visited <= mutated.length / 14);
  }
  assert.ok(refused > 5_000 && refused < 25_000, `${refused} were refused`);
});

test("random bytes are refused with a ProtocolError", () => {
  const random = mulberry32(7);
  for (let round = 0; round < 2_000; round++) {
    const bytes = Buffer.from(Array.from({ length: 20 + random(300) }, () => random(256)));
    bytes.fill(0, 0, 16);
    assert.throws(() => decodeSpans(bytes, () => {}), ProtocolError);
  }
});

test("the worst frames of a whole message are read within bounded memory", () => {
  const body = MAX_MESSAGE_BYTES - 1 - 20;
  const head = Buffer.alloc(20);
  const emptyString = hex("01 0000");
  // Shapes of 255 slots: three arrays of 255 for each 770 bytes.
  const wide = Buffer.concat([hex("02 00 0000 ff"), Buffer.alloc(255 * 3)]);
  const shapes = Math.floor((body - 3) / wide.length);
  const before = process.memoryUsage().heapUsed;
  decodeSpans(Buffer.concat([head, emptyString, Buffer.alloc(wide.length * shapes).fill(wide)]), () => {});
  assert.ok(process.memoryUsage().heapUsed - before < 64 * 1_048_576);
});

/** Spans of all kinds in one frame. */
function variedPayload(): Buffer {
  const writer = new SampleEncoder();
  writer.encoder.begin(1_790_000_000_000_000);
  for (let i = 0; i < 12; i++) {
    const added = writer.add(
      sampleSpan({
        name: `name ${i % 3}`,
        isLocalRoot: i % 4 === 3,
        parentSpanId: ["00f067aa0ba902b7", "b7ad6b7169203399", ""][i % 3] ?? "",
        durationNs: i % 5 === 0 ? 9e9 : 1_000,
        attributes: [
          ["text", `value ${i}`],
          ["integer", i % 2],
          ["double", i + 0.5],
          ["flag", i % 2 === 0],
          ["list", ["a", i, null]],
        ],
        extra: i % 6 === 0 ? { statusMessage: "failed", droppedAttributes: 2 } : null,
      }),
    );
    assert.equal(added, "added");
  }
  return Buffer.from(writer.encoder.take(1).subarray(MESSAGE_HEADER_BYTES));
}

type Random = (below: number) => number;

/** A copy with one to four changes: bits flipped, bytes replaced by edge values, ranges cut, repeated or moved. */
function mutate(payload: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(payload);
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(bytes.length);
    const length = 1 + random(40);
    const kind = random(5);
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    else if (kind === 1) bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random(5)] ?? 0;
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    else bytes.copy(bytes, random(bytes.length), at, at + length);
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}

/** Small seeded generator (mulberry32), so that a failure can be repeated. */
function mulberry32(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
