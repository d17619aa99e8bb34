/** The examples of README.md, executed: its bytes decode to its values, its values encode to its bytes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeBatch, encodeBatch } from "./batch.ts";
import type { BatchHeader } from "./batch-header.ts";
import * as control from "./control.ts";
import { HOST_METRICS } from "./host-metrics.ts";
import * as limits from "./limits.ts";
import type { UplinkSecond } from "./live.ts";
import { MessageReader, MessageType, sequenceOf } from "./message.ts";
import { readSamples, SampleEncoder, type SampleSpan } from "./testing/sample-spans.ts";
import { parseWant, type UplinkFound, type UplinkWant } from "./uplink.ts";

interface SpansValues {
  sequence: number;
  baseUnixUs: number;
  spans: SampleSpan[];
}

interface BatchValues {
  header: BatchHeader;
  /** Hex. */
  frames: string[];
}

interface Form<T> {
  encode(values: T): Buffer;
  decode(bytes: Buffer): T;
}

function form<T>(encode: (values: T) => Buffer, decode: (bytes: Buffer) => T): Form<unknown> {
  return { encode: (values) => encode(values as T), decode };
}

/** How a message of the type is read from its payload. */
function message<T>(
  type: number,
  encode: (values: T) => Buffer,
  decode: (payload: Buffer) => T,
): Form<unknown> {
  return form(encode, (bytes) => {
    const found: T[] = [];
    const reader = new MessageReader((foundType, payload) => {
      assert.equal(foundType, type);
      found.push(decode(payload));
    });
    reader.push(bytes);
    assert.deepEqual([found.length, reader.pendingBytes], [1, 0]);
    return found[0] as T;
  });
}

const FORMS: Readonly<Record<string, Form<unknown>>> = {
  HELLO: message<control.Hello & { version: number }>(
    MessageType.hello,
    ({ version, ...hello }) => control.encodeHello(hello, version),
    control.decodeHello,
  ),
  WELCOME: message(MessageType.welcome, control.encodeWelcome, control.decodeWelcome),
  REFUSE: message(MessageType.refuse, control.encodeRefuse, control.decodeRefuse),
  SPANS: message<SpansValues>(MessageType.spans, encodeSpans, (payload) => {
    const { header, spans } = readSamples(payload);
    assert.equal(header.spans, spans.length);
    return { sequence: header.sequence, baseUnixUs: header.baseUnixUs, spans };
  }),
  RUNTIME: message<{ sequence: number; runtime: control.RuntimeFrame }>(
    MessageType.runtime,
    ({ sequence, runtime }) => control.encodeRuntime(sequence, runtime),
    (payload) => ({ sequence: sequenceOf(payload), runtime: control.decodeRuntime(payload) }),
  ),
  GAP: message<{ sequence: number; gap: control.Gap }>(
    MessageType.gap,
    ({ sequence, gap }) => control.encodeGap(sequence, gap),
    (payload) => ({ sequence: sequenceOf(payload), gap: control.decodeGap(payload) }),
  ),
  ACK: message<{ sequence: number }>(
    MessageType.ack,
    ({ sequence }) => control.encodeAck(sequence),
    (payload) => ({ sequence: control.decodeAck(payload) }),
  ),
  SETTINGS: message(MessageType.settings, control.encodeSettings, control.decodeSettings),
  BYE: message<{ sequence: number; bye: control.Bye }>(
    MessageType.bye,
    ({ sequence, bye }) => control.encodeBye(sequence, bye),
    (payload) => ({ sequence: sequenceOf(payload), bye: control.decodeBye(payload) }),
  ),
  BATCH: form<BatchValues>(encodeBatchValues, (bytes) => {
    const { header, frames } = decodeBatch(bytes);
    for (const frame of frames) assert.ok(readSamples(Buffer.from(frame)).spans.length > 0);
    return { header, frames: frames.map((frame) => Buffer.from(frame).toString("hex")) };
  }),
};

function encodeSpans({ sequence, baseUnixUs, spans }: SpansValues): Buffer {
  const writer = new SampleEncoder();
  writer.encoder.begin(baseUnixUs);
  for (const span of spans) assert.equal(writer.add(span), "added");
  return writer.encoder.take(sequence);
}

function encodeBatchValues({ header, frames }: BatchValues): Buffer {
  return encodeBatch({ header, frames: frames.map((frame) => Buffer.from(frame, "hex")) }, "none");
}

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const EXAMPLE = /```hex (\w+)\n([^`]*)```\n```json\n([^`]*)```/g;
const examples = [...readme.matchAll(EXAMPLE)].map(([, name = "", hex = "", json = ""]) => ({
  name,
  bytes: bytesOf(hex),
  values: JSON.parse(json) as unknown,
}));

function bytesOf(hex: string): Buffer {
  const digits = hex.replaceAll(/#.*$/gm, "").replaceAll(/\s/g, "");
  assert.match(digits, /^([0-9a-f]{2})+$/);
  return Buffer.from(digits, "hex");
}

for (const { name, bytes, values } of examples) {
  test(`the bytes of ${name} decode to the values in the README`, () => {
    assert.deepEqual(FORMS[name]?.decode(bytes), values);
  });

  test(`the values of ${name} encode to the bytes in the README`, () => {
    assert.equal(FORMS[name]?.encode(values).toString("hex"), bytes.toString("hex"));
  });
}

test("the README has one example for each message and for the batch, and no block that is left unread", () => {
  const names = [...Object.keys(MessageType).map((name) => name.toUpperCase()), "BATCH"];
  assert.deepEqual(examples.map(({ name }) => name).sort(), names.sort());
  assert.equal(readme.match(/```hex/g)?.length, examples.length);
});

/** Examples of uplink messages are JSON as it is sent. */
function uplinkExample(name: string): unknown {
  const text = new RegExp(`\`\`\`json ${name}\\n([^\`]*)\`\`\``).exec(readme)?.[1];
  return JSON.parse(text ?? assert.fail(`there is no example of ${name}`));
}

test("the README's WANT is one that can be answered", () => {
  const want = uplinkExample("WANT");
  assert.deepEqual(parseWant(want), want);
});

test("the README's FOUND answers the README's WANT, and its frame has the spans that its summary tells of", () => {
  const want = uplinkExample("WANT") as UplinkWant;
  const found = uplinkExample("FOUND") as UplinkFound;
  assert.deepEqual([found.type, found.id], ["found", want.id]);
  for (const { summary, frame } of found.parts) {
    assert.ok(want.traceIds.includes(summary.traceId));
    const { header, spans } = readSamples(Buffer.from(frame, "base64"));
    assert.deepEqual(
      spans.map(({ traceId, rootSpanId, name }) => [traceId, rootSpanId, name]),
      [[summary.traceId, summary.rootSpanId, summary.action]],
    );
    const [span] = spans;
    assert.equal(spans.length, summary.spans);
    assert.equal((span?.durationNs ?? 0) / 1_000, summary.durationUs);
    const startUs = header.baseUnixUs + ((span?.endOffsetNs ?? 0) - (span?.durationNs ?? 0)) / 1_000;
    assert.equal(startUs / 1_000, summary.startUnixMs);
  }
});

test("the README's table of messages has the types of the code", () => {
  for (const [name, type] of Object.entries(MessageType))
    assert.ok(readme.includes(`\n| ${type} | ${name.toUpperCase()} |`), name);
});

test("the README's table of limits has the numbers of the code", () => {
  const table = readme.slice(readme.indexOf("## Limits"), readme.indexOf("## Versions"));
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value !== "number") continue;
    const written = String(value).replaceAll(/\B(?=(\d{3})+$)/g, " ");
    assert.match(table, new RegExp(`\\| ${written}[ |]`), name);
  }
});

test("the README's SECOND has names of host metrics and what a live app has", () => {
  const second = uplinkExample("SECOND") as UplinkSecond;
  const known = new Set(HOST_METRICS.map(({ name }) => name));
  assert.equal(second.type, "second");
  for (const name of Object.keys(second.values)) assert.ok(known.has(name), name);
  for (const app of second.apps) assert.deepEqual(Object.keys(app), ["app", "requests", "errors", "sumUs"]);
});
