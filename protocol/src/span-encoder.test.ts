import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FRAME_BYTES, MAX_ATTRIBUTES_PER_SPAN } from "./limits.ts";
import { MESSAGE_HEADER_BYTES, MessageReader, MessageType } from "./message.ts";
import type { AttributeValue } from "./shape.ts";
import { SpanEncoder } from "./span-encoder.ts";
import { INLINE_STRING, TraceEntry } from "./span-frame.ts";
import { readSamples, SampleEncoder, type SampleSpan, sampleSpan } from "./testing/sample-spans.ts";

const MAX_U32 = 0xffffffff;

function payloadOf(message: Buffer): Buffer {
  return message.subarray(MESSAGE_HEADER_BYTES);
}

/** Encodes samples into as many frames as they need, gives finished ones back, reads all of them. */
function throughFrames(
  samples: readonly SampleSpan[],
  spansPerFrame = Number.POSITIVE_INFINITY,
): SampleSpan[] {
  const writer = new SampleEncoder();
  const { encoder } = writer;
  const read: SampleSpan[] = [];
  let sequence = 0;
  const take = (): void => {
    const message = encoder.take(++sequence);
    const { header, spans } = readSamples(payloadOf(message));
    assert.deepEqual(header, { sequence, baseUnixUs: encoder.baseUnixUs, spans: spans.length });
    read.push(...spans);
    message.fill(0xaa);
    encoder.recycle(message);
    encoder.begin(encoder.baseUnixUs + 1);
  };
  for (const sample of samples) {
    if (encoder.spans >= spansPerFrame) take();
    if (writer.add(sample) === "added") continue;
    take();
    assert.equal(writer.add(sample), "added");
  }
  if (encoder.spans > 0) take();
  return read;
}

/** What must come back: UTF-8 has no lone surrogates, arrays travel as JSON. */
function asRead(sample: SampleSpan): SampleSpan {
  return {
    ...sample,
    scope: asUtf8(sample.scope),
    name: asUtf8(sample.name),
    spanId: sample.isLocalRoot ? sample.rootSpanId : sample.spanId,
    attributes: sample.attributes.map(([key, value]) => [asUtf8(key), valueAsRead(value)]),
    extra: JSON.parse(JSON.stringify(sample.extra)),
  };
}

function valueAsRead(value: AttributeValue): AttributeValue {
  if (typeof value === "string") return asUtf8(value);
  return typeof value === "object" ? JSON.parse(JSON.stringify(value)) : value;
}

function asUtf8(text: string): string {
  return Buffer.from(text).toString();
}

const anyText = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
});
const text = fc.oneof(
  fc.constantFrom(
    "",
    "GET",
    "postgresql",
    "select * from users where id = ?",
    "ключ",
    "\ud800",
    "😀".repeat(30),
  ),
  anyText,
);
const number = fc.oneof(
  fc.constantFrom(0, -0, Number.NaN, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, MAX_U32, 0.1),
  fc.constantFrom(
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_VALUE,
  ),
  fc.integer(),
  fc.double(),
);
const scalar = fc.oneof(text, number, fc.boolean());
const list = fc.array(fc.oneof(scalar, fc.constantFrom(null, undefined)), { maxLength: 5 });
const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: list },
);
const key = fc.oneof(fc.constantFrom("http.route", "db.query.text", "__proto__", "k", "ключ"), anyText);
const id = fc.constantFrom("00f067aa0ba902b7", "ffffffffffffffff", "0000000000000001", "8000000080000000");
const nanoseconds = fc.oneof(
  fc.integer({ min: 0, max: MAX_U32 }),
  fc.constantFrom(0, MAX_U32, MAX_U32 + 1, 86_400e9, Number.MAX_SAFE_INTEGER),
);
const extra = fc.option(
  fc.record({
    statusMessage: text,
    events: fc.array(
      fc.record({ name: text, offsetNs: fc.nat(), attributes: fc.constant({ "exception.type": "Error" }) }),
      { maxLength: 2 },
    ),
  }),
);
const anySpan: fc.Arbitrary<SampleSpan> = fc.record({
  scope: fc.constantFrom("http", "pg", "", "область"),
  kind: fc.integer({ min: 0, max: 4 }),
  name: text,
  traceId: fc.constantFrom(
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "ffffffffffffffffffffffffffffffff",
    "0".repeat(31) + "1",
  ),
  rootSpanId: id,
  spanId: id,
  parentSpanId: fc.oneof(fc.constant(""), id),
  isLocalRoot: fc.boolean(),
  hasRemoteParent: fc.boolean(),
  hasError: fc.boolean(),
  endOffsetNs: nanoseconds,
  durationNs: nanoseconds,
  attributes: fc.oneof(
    {
      weight: 8,
      arbitrary: fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 12 }),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(value, { minLength: 120, maxLength: MAX_ATTRIBUTES_PER_SPAN })
        .map((values) => values.map((each, i): [string, AttributeValue] => [`attribute.${i}`, each])),
    },
  ),
  extra,
});

test("spans of any kind come back as they were, in frames of any length", () => {
  // Spans repeat, whole and in part, so that masks, tables and traces are used again.
  const repeated = fc
    .tuple(
      fc.array(anySpan, { minLength: 1, maxLength: 6 }),
      fc.array(fc.tuple(fc.nat(), text, value), { maxLength: 30 }),
    )
    .map(([spans, changes]) =>
      changes.reduce(
        (all, [which, name, changed]) => [...all, varied(spans, which, name, changed)],
        [...spans],
      ),
    );
  fc.assert(
    fc.property(repeated, fc.integer({ min: 1, max: 12 }), (samples, spansPerFrame) => {
      assert.deepEqual(throughFrames(samples, spansPerFrame), samples.map(asRead));
    }),
    { numRuns: 400 },
  );
});

/** One of the spans again, with another name and, where the type allows, another first value. */
function varied(
  spans: readonly SampleSpan[],
  which: number,
  name: string,
  changed: AttributeValue,
): SampleSpan {
  const span = spans[which % spans.length] ?? sampleSpan();
  const attributes = span.attributes.map(([k, v], i): [string, AttributeValue] => [k, i === 0 ? changed : v]);
  return { ...span, name, attributes: which % 2 === 0 ? attributes : span.attributes };
}

test("thousands of spans fill frame after frame of at most 64 KiB, none is lost", () => {
  const samples = Array.from({ length: 8_000 }, (_, i) =>
    sampleSpan({
      spanId: (i + 1).toString(16).padStart(16, "0"),
      attributes: [
        ["db.system.name", "postgresql"],
        ["db.query.text", `select ${i % 7} from users where id = ?`],
        ["url.path", `/users/${i}`],
        ["server.port", i],
      ],
    }),
  );
  assert.deepEqual(throughFrames(samples), samples);
});

test("a value that repeats costs one bit", () => {
  const writer = new SampleEncoder();
  const sample = sampleSpan({
    attributes: [
      ["db.query.text", "x".repeat(1_000)],
      ["rows", 5],
    ],
  });
  writer.add(sample);
  const first = writer.encoder.bytes;
  writer.add(sample);
  // Tag, shape, trace, span id, end, duration, mask: the parent is the root, nothing has changed.
  assert.equal(writer.encoder.bytes - first, 1 + 2 + 2 + 8 + 4 + 4 + 1);
});

test("an array that the app changed in place between two spans is written again", () => {
  const tags = ["a"];
  const writer = new SampleEncoder();
  writer.add(sampleSpan({ attributes: [["tags", tags]] }));
  tags.push("b");
  writer.add(sampleSpan({ attributes: [["tags", tags]] }));
  const { spans } = readSamples(payloadOf(writer.encoder.take(1)));
  assert.deepEqual(
    spans.map(({ attributes }) => attributes[0]?.[1]),
    [["a"], ["a", "b"]],
  );
});

test("texts that never repeat are written in place after 64 of them, and looked up again in later frames", () => {
  const writer = new SampleEncoder();
  const texts = Array.from({ length: 80 }, (_, i) => `unique text number ${i}`);
  const samples = texts.map((unique) => sampleSpan({ attributes: [["id", unique]] }));
  for (const sample of samples) writer.add(sample);
  const payload = payloadOf(writer.encoder.take(1));
  assert.deepEqual(readSamples(payload).spans, samples);
  assert.deepEqual(definedStrings(payload), ["pg", "id", "SELECT", ...texts.slice(0, 64)]);

  // A new frame believes in repetitions again, half as long.
  for (const sample of samples) writer.add(sample);
  const second = payloadOf(writer.encoder.take(2));
  assert.deepEqual(readSamples(second).spans, samples);
  assert.equal(definedStrings(second).length, 3 + 32);
});

test("a text that another slot has defined is named by its number, also where texts are written in place", () => {
  const writer = new SampleEncoder();
  for (let i = 0; i < 70; i++) writer.add(sampleSpan({ attributes: [["id", `unique ${i}`]] }));
  const before = writer.encoder.bytes;
  writer.add(sampleSpan({ attributes: [["id", "SELECT"]] }));
  const named = writer.encoder.bytes - before;
  writer.add(sampleSpan({ attributes: [["id", "SELEKT"]] }));
  assert.equal(writer.encoder.bytes - before - named, named + 2 + "SELEKT".length);
});

test("every text length up to the limit of an entry survives, longer ones are cut at 16384 characters", () => {
  for (const unit of ["a", "ä", "語"]) {
    for (const length of [0, 1, 23, 24, 25, 16_383, 16_384, 16_385, 20_000]) {
      const long = unit.repeat(length);
      const [span] = throughFrames([sampleSpan({ name: long, attributes: [["v", long]] })]);
      assert.equal(span?.name, unit.repeat(Math.min(length, 16_384)));
      assert.equal(span?.attributes[0]?.[1], span?.name);
    }
  }
});

test("a frame takes spans up to its last byte and says full before it would overflow", () => {
  // Each length of the last text meets the end of the frame at another byte.
  for (let length = 0; length < 120; length++) {
    const writer = new SampleEncoder();
    const samples: SampleSpan[] = [];
    for (let i = 0; ; i++) {
      const sample = sampleSpan({ attributes: [["v", `${i}${"語".repeat(length)}`]] });
      if (writer.add(sample) === "full") break;
      samples.push(sample);
    }
    const message = writer.encoder.take(1);
    assert.ok(message.length <= FRAME_BYTES);
    assert.ok(message.length > FRAME_BYTES - 1_000, `${message.length}`);
    assert.deepEqual(readSamples(payloadOf(message)).spans, samples);
  }
});

test("the widest span there is fits the bytes that were reckoned for it, wherever the frame ends", () => {
  const widest = (i: number): SampleSpan =>
    sampleSpan({
      name: `語${String.fromCharCode(0x4e00 + i)}`,
      attributes: Array.from({ length: MAX_ATTRIBUTES_PER_SPAN }, (_, slot) => [`k${slot}`, i + slot + 0.5]),
      traceId: (i + 1).toString(16).padStart(32, "0"),
      parentSpanId: "b7ad6b7169203332",
      durationNs: MAX_U32 + 1,
    });
  for (let frameBytes = 4_000; frameBytes < 5_200; frameBytes++) {
    const writer = new SampleEncoder(frameBytes);
    const samples: SampleSpan[] = [];
    for (let i = 0; writer.add(widest(i)) === "added"; i++) samples.push(widest(i));
    assert.deepEqual(readSamples(payloadOf(writer.encoder.take(1))).spans, samples, `${frameBytes}`);
  }
});

test("a span that exceeds a frame gets a message of its own; one that exceeds a message is too large", () => {
  const of = (count: number): SampleSpan =>
    sampleSpan({
      attributes: Array.from({ length: count }, (_, i): [string, AttributeValue] => [
        `k${i}`,
        `${i}${"x".repeat(4_000)}`,
      ]),
    });
  const writer = new SampleEncoder();
  const small = sampleSpan();
  assert.equal(writer.add(small), "added");
  assert.equal(writer.add(of(20)), "full");
  writer.encoder.take(1);
  assert.equal(writer.add(of(20)), "added");
  const large = writer.encoder.take(2);
  assert.ok(large.length > FRAME_BYTES);
  assert.deepEqual(readSamples(payloadOf(large)).spans, [of(20)]);

  assert.equal(writer.add(of(100)), "too_large");
  assert.equal(writer.encoder.spans, 0);
  assert.throws(() => writer.encoder.take(3), { code: "FRAME_MALFORMED" });
  assert.equal(writer.add(small), "added");
  assert.deepEqual(readSamples(payloadOf(writer.encoder.take(3))).spans, [small]);
});

test("the largest span that is not too large is a message that a reader accepts", () => {
  const of = (chars: number): SampleSpan => sampleSpan({ extra: { statusMessage: "語".repeat(chars) } });
  let [fits, fitsNot] = [1, 500_000];
  while (fitsNot - fits > 1) {
    const middle = (fits + fitsNot) >> 1;
    if (new SampleEncoder().add(of(middle)) === "added") fits = middle;
    else fitsNot = middle;
  }
  const writer = new SampleEncoder();
  assert.equal(writer.add(of(fits)), "added");
  const lengths: number[] = [];
  new MessageReader((_type, payload) =>
    lengths.push(readSamples(payload).spans[0]?.extra?.statusMessage?.length ?? 0),
  ).push(writer.encoder.take(1));
  assert.deepEqual(lengths, [fits]);
  assert.equal(new SampleEncoder().add(of(fitsNot)), "too_large");
});

test("times are kept from 0 to 2^53 - 1 ns, and brought into that range", () => {
  const at = (endOffsetNs: number, durationNs: number): number[] => {
    const [span] = throughFrames([sampleSpan({ endOffsetNs, durationNs })]);
    return [span?.endOffsetNs ?? -1, span?.durationNs ?? -1];
  };
  const max = Number.MAX_SAFE_INTEGER;
  assert.deepEqual(at(MAX_U32, MAX_U32), [MAX_U32, MAX_U32]);
  assert.deepEqual(at(MAX_U32 + 1, 0), [MAX_U32 + 1, 0]);
  assert.deepEqual(at(0, MAX_U32 + 1), [0, MAX_U32 + 1]);
  assert.deepEqual(at(-5, -1), [0, 0]);
  assert.deepEqual(at(max, max), [max, max]);
  assert.deepEqual(at(1, Number.POSITIVE_INFINITY), [1, max]);
  assert.deepEqual(at(2 ** 60, 1), [max, 1]);
  assert.deepEqual(at(Number.NaN, Number.NaN), [0, 0]);
});

test("a message is not touched by the frames after it until it is given back", () => {
  const writer = new SampleEncoder();
  const samples = Array.from({ length: 6_000 }, (_, i) => sampleSpan({ name: `name ${i}` }));
  const messages: Buffer[] = [];
  for (const sample of samples) {
    if (writer.add(sample) === "added") continue;
    messages.push(writer.encoder.take(messages.length + 1));
    writer.add(sample);
  }
  messages.push(writer.encoder.take(messages.length + 1));
  assert.ok(messages.length > 3);
  assert.deepEqual(
    messages.flatMap((message) => readSamples(payloadOf(message)).spans),
    samples,
  );
});

test("a small message that is given back does not hand out memory that others use", () => {
  // Brings Buffer's shared pool to a point where the message would be the first of a new slab.
  while (Buffer.allocUnsafe(4_000).byteOffset !== 0);
  Buffer.allocUnsafe(4_000);
  const writer = new SampleEncoder(Buffer.poolSize);
  writer.add(sampleSpan({ name: "x".repeat(300) }));
  const small = writer.encoder.take(1);
  const others = Array.from({ length: 100 }, () => Buffer.from("somebody else's bytes"));
  writer.encoder.recycle(small);
  for (let frame = 2; frame < 5; frame++) {
    for (let i = 0; writer.add(sampleSpan({ name: `name ${i}` })) === "added"; i++);
    writer.encoder.take(frame);
  }
  for (const other of others) assert.equal(other.toString(), "somebody else's bytes");
});

test("a trace entry and a shape may pass from one encoder to the next", () => {
  const trace = new TraceEntry(1, 2, 3, 4, 5, 6);
  const first = new SampleEncoder();
  const record = { ...first.record(sampleSpan()), trace };
  assert.equal(first.encoder.add(record, 1, 1), "added");
  const second = new SpanEncoder();
  assert.equal(second.add(record, 1, 1), "added");
  const { spans } = readSamples(payloadOf(second.take(1)));
  assert.deepEqual(
    spans.map(({ traceId, scope }) => ({ traceId, scope })),
    [{ traceId: "00000001000000020000000300000004", scope: "pg" }],
  );
});

test("a frame without spans cannot be taken", () => {
  assert.throws(() => new SpanEncoder().take(1), { code: "FRAME_MALFORMED" });
});

test("a frame is a SPANS message", () => {
  const writer = new SampleEncoder();
  writer.add(sampleSpan());
  const message = writer.encoder.take(9);
  assert.equal(message.readUInt32LE(0), message.length - 4);
  assert.equal(message[4], MessageType.spans);
});

/** Strings that a payload defines, read without the decoder. The spans must have one string slot at most. */
function definedStrings(payload: Buffer): string[] {
  const strings: string[] = [];
  let at = 20;
  while (at < payload.length) {
    const tag = payload.readUInt8(at);
    if (tag === 1) {
      const bytes = payload.readUInt16LE(at + 1);
      strings.push(payload.toString("utf8", at + 3, at + 3 + bytes));
      at += 3 + bytes;
    } else if (tag === 2) at += 5 + 3 * payload.readUInt8(at + 4);
    else if (tag === 3) at += 25;
    else at = endOfSpan(payload, at);
  }
  return strings;
}

/** A span under its root with one string slot. */
function endOfSpan(payload: Buffer, start: number): number {
  let at = start + 21;
  const mask = payload.readUInt8(at++);
  if ((mask & 1) !== 0) at += 2;
  if ((mask & 2) === 0) return at;
  return payload.readUInt16LE(at) === INLINE_STRING ? at + 4 + payload.readUInt16LE(at + 2) : at + 2;
}
