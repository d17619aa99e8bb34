import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  DEFAULT_AGENT_SETTINGS,
  type Deployment,
  decodeAck,
  decodeBye,
  decodeGap,
  decodeHello,
  decodeRefuse,
  decodeRuntime,
  decodeSettings,
  decodeWelcome,
  deploymentOf,
  encodeAck,
  encodeBye,
  encodeGap,
  encodeHello,
  encodeRefuse,
  encodeRuntime,
  encodeSettings,
  encodeWelcome,
  type Hello,
  type RuntimeFrame,
} from "./control.ts";
import { ProtocolError } from "./errors.ts";
import { MAX_MESSAGE_BYTES, MAX_NAME_CHARS } from "./limits.ts";
import { MESSAGE_HEADER_BYTES, MessageType, sequenceOf } from "./message.ts";

const hello: Hello = {
  app: "shop",
  instance: "0123456789abcdef0123456789abcdef",
  pid: 4711,
  startUnixMs: 1_790_000_000_000,
  runtime: "node 20.20.2",
  agentVersion: "0.1.0",
  firstUnacknowledged: 1,
};

const runtime: RuntimeFrame = {
  unixMs: 1_790_000_000_000,
  eventLoopDelayP99Ms: 1.5,
  eventLoopUtilizationRatio: 0.25,
  gcPauseMs: 3,
  heapUsedBytes: 10_000_000,
  heapTotalBytes: 20_000_000,
  spansCreated: 1_000,
  spansDropped: 2,
  spansFramed: 990,
  spansReported: 1,
  inFlight: [{ action: "GET /slow", traceId: "4bf92f3577b34da6a3ce929d0e0e4736", ageMs: 1_500 }],
};

function payloadOf(message: Buffer, type: number): Buffer {
  assert.equal(message[4], type);
  return message.subarray(MESSAGE_HEADER_BYTES);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function helloPayload(value: unknown, version = 1): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16LE(version);
  return Buffer.concat([head, json(value)]);
}

/** RUNTIME, GAP and BYE: a sequence number, then JSON. */
function sequenced(value: unknown): Buffer {
  return Buffer.concat([Buffer.from("0100000000000000", "hex"), json(value)]);
}

test("every control message comes back as it was sent", () => {
  assert.deepEqual(decodeHello(payloadOf(encodeHello(hello), MessageType.hello)), { ...hello, version: 1 });
  const welcome = {
    version: 1,
    lastSequence: 7,
    settings: { sql: "raw", flushIntervalMs: 50, overheadBudgetRatio: 0.03 },
  } as const;
  assert.deepEqual(decodeWelcome(payloadOf(encodeWelcome(welcome), MessageType.welcome)), welcome);
  const refuse = { code: "SHUTTING_DOWN", message: "Try again.", retryAfterMs: 1_000 } as const;
  assert.deepEqual(decodeRefuse(payloadOf(encodeRefuse(refuse), MessageType.refuse)), refuse);
  const settings = { sql: "off", flushIntervalMs: 10_000, overheadBudgetRatio: 0.03 } as const;
  assert.deepEqual(decodeSettings(payloadOf(encodeSettings(settings), MessageType.settings)), settings);
  for (const exitCode of [0, 137, null]) {
    const bye = { exitCode, spansCreated: 5, spansFramed: 4, spansReported: 1 };
    assert.deepEqual(decodeBye(payloadOf(encodeBye(9, bye), MessageType.bye)), bye);
  }
  assert.equal(decodeAck(payloadOf(encodeAck(2 ** 40 + 5), MessageType.ack)), 2 ** 40 + 5);
});

test("BYE may say what nobody caught; texts are cut, and what has no type is left out", () => {
  const counts = { exitCode: 1, spansCreated: 5, spansFramed: 4, spansReported: 1 };
  const error = { type: "TypeError", message: "x is undefined", stack: "    at f (app.js:1:1)" };
  const read = (value: unknown): unknown =>
    decodeBye(payloadOf(encodeBye(9, { ...counts, error: value as typeof error }), MessageType.bye));
  assert.deepEqual(read(error), { ...counts, error });
  assert.deepEqual(read({ ...error, type: "t".repeat(300), message: "m".repeat(2_000), stack: 7 }), {
    ...counts,
    error: { type: "t".repeat(255), message: "m".repeat(1_024), stack: "" },
  });
  for (const none of [null, "text", [], {}, { type: 1 }, { type: "" }]) assert.deepEqual(read(none), counts);
});

test("RUNTIME and GAP carry their sequence number and their values", () => {
  const runtimePayload = payloadOf(encodeRuntime(12, runtime), MessageType.runtime);
  assert.equal(sequenceOf(runtimePayload), 12);
  assert.deepEqual(decodeRuntime(runtimePayload), runtime);
  const limited = { ...runtime, recording: "errors_and_slow", overheadRatio: 0.04 } as const;
  assert.deepEqual(decodeRuntime(payloadOf(encodeRuntime(13, limited), MessageType.runtime)), limited);
  const gap = { dropped: { agent_ring_full: 12, too_large: 1 } };
  const gapPayload = payloadOf(encodeGap(13, gap), MessageType.gap);
  assert.equal(sequenceOf(gapPayload), 13);
  assert.deepEqual(decodeGap(gapPayload), gap);
});

test("a HELLO of another version is refused with the versions that are spoken, whatever follows it", () => {
  assert.throws(() => decodeHello(payloadOf(encodeHello(hello, 2), MessageType.hello)), {
    code: "VERSION_UNSUPPORTED",
    message: /version 2.*speaks 1:/,
  });
  assert.throws(() => decodeHello(Buffer.from("ffff00", "hex")), { code: "VERSION_UNSUPPORTED" });
});

test("fields of a HELLO that are missing or of the wrong kind are malformed", () => {
  const wrong: Record<Exclude<keyof Hello, keyof Deployment>, unknown[]> = {
    app: ["", 1, null, [], {}, "a\nb", "a\u0000b", "a\u0085b", "\ud800", "x".repeat(MAX_NAME_CHARS + 1)],
    instance: [
      "",
      "0123",
      hello.instance.toUpperCase(),
      `${hello.instance}0`,
      `${hello.instance}\n`,
      1,
      null,
      ["a"],
    ],
    pid: [-1, 1.5, "1", null, 2 ** 53, true],
    startUnixMs: [-1, "now", 1e300],
    runtime: ["", 20, "node\r\n20", "x".repeat(MAX_NAME_CHARS + 1)],
    agentVersion: ["", {}, "\u001b[31m"],
    firstUnacknowledged: [-1, 0.5, "1", [1]],
  };
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of [undefined, ...values]) {
      assert.throws(
        () => decodeHello(helloPayload({ ...hello, [field]: value })),
        (error) =>
          error instanceof ProtocolError && error.code === "FRAME_MALFORMED" && error.message.includes(field),
        `${field}: ${JSON.stringify(value)}`,
      );
    }
  }
});

test("where a process comes from is kept as far as it is short text, and left out else", () => {
  const decoded = (said: object): object => deploymentOf(decodeHello(helloPayload({ ...hello, ...said })));
  const all = { appVersion: "1.4.2", containerId: "0123".repeat(16), systemdUnit: "shop@blue.service" };
  assert.deepEqual(decoded(all), all);
  assert.deepEqual(decoded({}), {});
  const long = "x".repeat(MAX_NAME_CHARS);
  for (const wrong of ["", 1, null, {}, "a\nb", `${long}x`])
    assert.deepEqual(decoded({ ...all, appVersion: wrong, containerId: wrong, systemdUnit: long }), {
      systemdUnit: long,
    });
});

test("a name may have as many characters as the limit says, in any script", () => {
  for (const app of ["x".repeat(MAX_NAME_CHARS), "магазин", "店 🛒", "__proto__", "<script>"])
    assert.equal(decodeHello(helloPayload({ ...hello, app })).app, app);
});

test("unknown fields and prototype keys of a HELLO are ignored", () => {
  const text = `{"__proto__":{"polluted":true},"constructor":{"x":1},"later":[1],${JSON.stringify(hello).slice(1)}`;
  const decoded = decodeHello(Buffer.concat([Buffer.from("0100", "hex"), Buffer.from(text)]));
  assert.deepEqual(decoded, { ...hello, version: 1 });
  assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
});

test("payloads that are no JSON object are malformed", () => {
  const decoders: Record<string, (payload: Buffer) => unknown> = {
    hello: (payload) => decodeHello(Buffer.concat([Buffer.from("0100", "hex"), payload])),
    welcome: decodeWelcome,
    refuse: decodeRefuse,
    settings: decodeSettings,
    bye: (payload) => decodeBye(Buffer.concat([Buffer.alloc(8), payload])),
    runtime: (payload) => decodeRuntime(Buffer.concat([Buffer.alloc(8), payload])),
    gap: (payload) => decodeGap(Buffer.concat([Buffer.alloc(8), payload])),
  };
  const texts = ["", "{", "null", "[]", "1", '"text"', "{}x", "\u0000", "[".repeat(200_000)];
  for (const [name, decode] of Object.entries(decoders)) {
    for (const text of texts) {
      const action = (): unknown => decode(Buffer.from(text));
      assert.throws(action, { code: "FRAME_MALFORMED" }, `${name}: ${text.slice(0, 20)}`);
    }
  }
});

test("payloads shorter than their fixed part are malformed", () => {
  assert.throws(() => decodeHello(Buffer.from("01", "hex")), { code: "FRAME_MALFORMED" });
  for (const decode of [decodeAck, decodeRuntime, decodeGap])
    assert.throws(() => decode(Buffer.alloc(7)), { code: "FRAME_MALFORMED" });
});

test("a control message over the limit of a message is refused by its writer", () => {
  const refuse = {
    code: "FRAME_MALFORMED",
    message: "x".repeat(MAX_MESSAGE_BYTES),
    retryAfterMs: 0,
  } as const;
  assert.throws(() => encodeRefuse(refuse), { code: "FRAME_TOO_LARGE" });
});

test("WELCOME needs a version and a sequence number; strange settings fall back to the defaults", () => {
  for (const value of [
    {},
    { version: 1 },
    { version: 1, lastSequence: -1 },
    { version: "1", lastSequence: 0 },
  ])
    assert.throws(() => decodeWelcome(json(value)), { code: "FRAME_MALFORMED" });
  const strange = [undefined, null, 1, "raw", [], { sql: "RAW", flushIntervalMs: "100" }, { sql: ["raw"] }];
  for (const settings of strange) {
    const decoded = decodeWelcome(json({ version: 1, lastSequence: 0, settings }));
    assert.deepEqual(decoded.settings, DEFAULT_AGENT_SETTINGS);
  }
});

test("a flush interval outside of 10 ms to 10 s falls back to the default", () => {
  const read = (flushIntervalMs: number): number => decodeSettings(json({ flushIntervalMs })).flushIntervalMs;
  assert.deepEqual([9, 10, 10_000, 10_001].map(read), [100, 10, 10_000, 100]);
});

test("REFUSE is fit for a log line and for a timer, whoever wrote it", () => {
  for (const value of [{}, { code: "X" }, { code: 1, message: "m" }, { code: "A\nB", message: "m" }])
    assert.throws(() => decodeRefuse(json(value)), { code: "FRAME_MALFORMED" });
  const refuse = decodeRefuse(json({ code: "LATER_CODE", message: `a\nb\u001b[2J${"x".repeat(5_000)}` }));
  assert.equal(refuse.code, "LATER_CODE");
  assert.match(refuse.message, /^a b \[2Jx+$/);
  assert.equal(refuse.message.length, 1_024);
  assert.equal(refuse.retryAfterMs, 30_000);
  const retryAfterOf = (retryAfterMs: unknown): number =>
    decodeRefuse(json({ code: "X", message: "m", retryAfterMs })).retryAfterMs;
  assert.deepEqual(
    [0, 3_600_000, 3_600_001, 2 ** 40, -1, "5"].map(retryAfterOf),
    [0, 3_600_000, 3_600_000, 3_600_000, 30_000, 30_000],
  );
});

test("BYE's exit code is a whole number or unknown, and so are its counts", () => {
  const unknown = { exitCode: null, spansCreated: 0, spansFramed: null, spansReported: null };
  for (const value of [undefined, "0", 1.5, [0], null]) {
    const bye = { exitCode: value, spansCreated: value, spansFramed: value, spansReported: value };
    assert.deepEqual(decodeBye(sequenced(bye)), unknown, String(value));
  }
  assert.equal(decodeBye(sequenced({ spansFramed: -1 })).spansFramed, null);
});

test("RUNTIME's numbers that are missing or not finite read as 0, pauses as unknown", () => {
  const decoded = decodeRuntime(
    Buffer.concat([Buffer.alloc(8), Buffer.from('{"unixMs":"1","gcPauseMs":1e999,"heapUsedBytes":null}')]),
  );
  assert.deepEqual(decoded, {
    unixMs: 0,
    eventLoopDelayP99Ms: 0,
    eventLoopUtilizationRatio: 0,
    gcPauseMs: null,
    heapUsedBytes: 0,
    heapTotalBytes: 0,
    spansCreated: 0,
    spansDropped: 0,
    spansFramed: null,
    spansReported: null,
    inFlight: [],
  });
});

test("RUNTIME's counters are bounded: 100 of them, real names, amounts above 0", () => {
  const read = (counters: unknown): Record<string, number> | undefined =>
    decodeRuntime(sequenced({ counters })).counters;
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`c${i}`, 1]));
  assert.equal(Object.keys(read(many) ?? {}).length, 100);
  const long = "x".repeat(255);
  assert.deepEqual(
    read({ a: 0.5, [long]: 1, [`${long}x`]: 1, "": 1, "a\n": 1, zero: 0, less: -1, text: "1" }),
    {
      a: 0.5,
      [long]: 1,
    },
  );
  for (const none of [undefined, null, [], 5, {}, { a: 0 }]) assert.equal(read(none), undefined);
});

test("RUNTIME's libraries are bounded: 100 of them, known states, short texts", () => {
  const read = (libraries: unknown): unknown => decodeRuntime(sequenced({ libraries })).libraries;
  const pg = { name: "pg", version: "8.23.1", state: "recorded" };
  assert.deepEqual(read({ bundler: "esbuild", found: [pg], more: 1 }), { bundler: "esbuild", found: [pg] });
  assert.equal((read({ found: Array.from({ length: 101 }, () => pg) }) as { found: [] }).found.length, 100);
  const wrong = [
    null,
    1,
    { ...pg, name: "" },
    { ...pg, name: "a\u001b" },
    { ...pg, state: "x" },
    { ...pg, version: 5 },
  ];
  assert.deepEqual(read({ bundler: "a\nb", found: wrong }), {
    bundler: null,
    found: [{ ...pg, version: "" }],
  });
  for (const none of [undefined, null, [], {}, { found: {} }]) assert.equal(read(none), undefined);
});

test("RUNTIME's requests in flight are bounded: 20 of them, known fields, real trace ids", () => {
  const [good] = runtime.inFlight;
  const list = Array.from({ length: 25 }, (_, i) => ({ ...good, ageMs: i }));
  assert.deepEqual(
    decodeRuntime(sequenced({ inFlight: list })).inFlight.map(({ ageMs }) => ageMs),
    Array.from({ length: 20 }, (_, i) => i),
  );
  assert.deepEqual(decodeRuntime(sequenced({ inFlight: [{ ...good, secret: "x" }] })).inFlight, [good]);
  const strange = [
    null,
    1,
    "x",
    [],
    { ...good, traceId: "x".repeat(500_000) },
    { ...good, traceId: 1 },
    { ...good, action: "x".repeat(MAX_NAME_CHARS + 1) },
    { ...good, action: {} },
    { ...good, ageMs: "1" },
  ];
  for (const entry of strange)
    assert.deepEqual(
      decodeRuntime(sequenced({ inFlight: [entry] })).inFlight,
      [],
      JSON.stringify(entry)?.slice(0, 60),
    );
  assert.deepEqual(decodeRuntime(sequenced({ inFlight: { length: 3 } })).inFlight, []);
  const endless = JSON.stringify({ inFlight: [good] }).replace("1500", "1e999");
  assert.deepEqual(decodeRuntime(Buffer.concat([Buffer.alloc(8), Buffer.from(endless)])).inFlight, []);
});

test("GAP never loses a count: reasons beyond 32 and names that are none count as other", () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`reason_${i}`, 1]));
  const { dropped } = decodeGap(sequenced({ dropped: many }));
  assert.equal(Object.keys(dropped).length, 33);
  assert.equal(dropped["other"], 8);
  const named = decodeGap(
    Buffer.concat([
      Buffer.alloc(8),
      Buffer.from(`{"dropped":{"__proto__":1,"":2,"A b":3,"x\\n":4,"${"y".repeat(65)}":5,"ok":6}}`),
    ]),
  );
  assert.deepEqual(named, { dropped: { other: 15, ok: 6 } });
  assert.deepEqual(decodeGap(sequenced({ dropped: { ["z".repeat(64)]: 1 } })), {
    dropped: { ["z".repeat(64)]: 1 },
  });
});

test("GAP's counts that are no whole positive numbers are ignored, its sums stay whole", () => {
  const strange = { a: 0, b: -1, c: 1.5, d: "1", e: null, f: {}, g: 2 ** 53, h: 3 };
  assert.deepEqual(decodeGap(sequenced({ dropped: strange })), { dropped: { h: 3 } });
  const huge = { "?": Number.MAX_SAFE_INTEGER, "!": Number.MAX_SAFE_INTEGER };
  assert.deepEqual(decodeGap(sequenced({ dropped: huge })), { dropped: { other: Number.MAX_SAFE_INTEGER } });
  for (const dropped of [undefined, null, 1, "x", [1, 2]])
    assert.throws(() => decodeGap(sequenced({ dropped })), { code: "FRAME_MALFORMED" });
});

test("whatever the bytes, a decoder answers or throws a ProtocolError", () => {
  const decoders = [
    decodeHello,
    decodeWelcome,
    decodeRefuse,
    decodeSettings,
    decodeBye,
    decodeAck,
    decodeRuntime,
    decodeGap,
  ];
  const fields = [
    "app",
    "instance",
    "pid",
    "version",
    "lastSequence",
    "settings",
    "dropped",
    "inFlight",
    "code",
  ];
  const object = fc.dictionary(fc.constantFrom(...fields, "__proto__"), fc.jsonValue()).map(json);
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    object,
  );
  const head = fc.constantFrom("", "0100", "0100000000000000").map((bytes) => Buffer.from(bytes, "hex"));
  fc.assert(
    fc.property(head, payload, (start, rest) => {
      for (const decode of decoders) {
        try {
          decode(Buffer.concat([start, rest]));
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }
    }),
    { numRuns: 3_000 },
  );
});
