import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import {
  BATCH_PREFIX_BYTES,
  type Batch,
  decodeBatch,
  decodeBatchIdentity,
  encodeBatch,
  READABLE_CODECS,
} from "./batch.ts";
import type { BatchHeader, TraceSummary } from "./batch-header.ts";
import { ProtocolError, type ProtocolErrorCode } from "./errors.ts";
import {
  MAX_BATCH_BODY_BYTES,
  MAX_BATCH_HEADER_NODES,
  MAX_BATCH_TRACES,
  MAX_MESSAGE_BYTES,
} from "./limits.ts";

const trace: TraceSummary = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  rootSpanId: "00f067aa0ba902b7",
  app: "магазин",
  instance: "0123456789abcdef0123456789abcdef",
  action: "GET /users/:id",
  kind: "web",
  startUnixMs: 1_790_000_000_000,
  durationUs: 1_500,
  status: 200,
  error: false,
  spans: 2,
  reason: "slow",
};

const header: BatchHeader = {
  version: 1,
  stream: "6f1c2a50-8f4e-4b7a-9c1d-2e3f40516273",
  number: 4_294_967_297,
  createdUnixMs: 1_790_000_000_000,
  host: {
    id: "h1",
    name: "web-1",
    os: "Debian 12",
    kernel: "6.1.0",
    arch: "x64",
    cpuModel: "",
    cores: 2,
    memTotalBytes: 1,
    virtualization: "",
    bootUnixMs: 1,
    daemonVersion: "0.1.0",
    nodeVersion: "20.20.2",
  },
  apps: [],
  hostSeconds: null,
  hostSnapshot: null,
  processSeconds: [],
  actions: [],
  operations: [],
  statements: [],
  errors: [],
  ledger: [],
  traces: [trace, trace],
  journal: { sealed: 100, replayFrom: 50 },
};

const batch: Batch = { header, frames: [Buffer.from("frame one"), Buffer.alloc(0)] };

/** A batch file around any body: prefix and checksum are right. */
function fileOf(body: Buffer, codec: 0 | 1 | 2 = 0): Buffer {
  const stored = codec === 1 ? zlib.gzipSync(body) : body;
  const prefix = Buffer.from(encodeBatch(batch, "none").subarray(0, BATCH_PREFIX_BYTES));
  prefix[5] = codec;
  prefix.writeUInt32LE(zlib.crc32(stored), 32);
  prefix.writeUInt32LE(stored.length, 36);
  return Buffer.concat([prefix, stored]);
}

function bodyOf(json: string, ...rest: Buffer[]): Buffer {
  const text = Buffer.from(json);
  return Buffer.concat([u32(text.length), text, ...rest]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function refuses(bytes: Uint8Array, code: ProtocolErrorCode, what?: string): void {
  assert.throws(() => decodeBatch(bytes), { name: "ProtocolError", code }, what);
}

for (const codec of READABLE_CODECS) {
  test(`a batch comes back as it was (${codec})`, () => {
    const bytes = encodeBatch(batch, codec);
    const decoded = decodeBatch(bytes);
    assert.deepEqual(decoded.header, header);
    assert.deepEqual(
      decoded.frames.map((frame) => Buffer.from(frame).toString()),
      ["frame one", ""],
    );
    assert.deepEqual(decodeBatchIdentity(bytes), { stream: header.stream, number: header.number });
  });

  test(`a batch cut at any byte is refused (${codec})`, () => {
    const bytes = encodeBatch(batch, codec);
    for (let length = 0; length < bytes.length; length++)
      refuses(
        bytes.subarray(0, length),
        length < BATCH_PREFIX_BYTES ? "BATCH_MALFORMED" : "BATCH_CORRUPT",
        `${length}`,
      );
  });

  test(`a batch with any bit flipped is refused (${codec})`, () => {
    const bytes = encodeBatch(batch, codec);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => decodeBatch(flipped), ProtocolError, `bit ${bit & 7} of byte ${bit >> 3}`);
    }
  });
}

test("a batch is read from a view into other bytes", () => {
  const bytes = encodeBatch(batch, "gzip");
  const around = new Uint8Array(bytes.length + 10);
  around.set(bytes, 3);
  assert.deepEqual(decodeBatch(around.subarray(3, 3 + bytes.length)).header, header);
});

test("the identity stands in the prefix alone", () => {
  const prefix = encodeBatch(batch, "gzip").subarray(0, BATCH_PREFIX_BYTES);
  assert.deepEqual(decodeBatchIdentity(prefix), { stream: header.stream, number: header.number });
  assert.throws(() => decodeBatchIdentity(prefix.subarray(1)), { code: "BATCH_MALFORMED" });
});

test("a number of the batch beyond 2^53 is malformed", () => {
  const bytes = encodeBatch(batch, "none");
  bytes.writeBigUInt64LE(2n ** 53n, 24);
  refuses(bytes, "BATCH_MALFORMED");
  assert.throws(() => decodeBatchIdentity(bytes), { code: "BATCH_MALFORMED" });
});

test("another format version is told apart from damage", () => {
  const bytes = encodeBatch(batch, "none");
  bytes[4] = 2;
  assert.throws(() => decodeBatch(bytes), { code: "VERSION_UNSUPPORTED", message: /format 2 .* reads 1/ });
});

test("a codec that this runtime cannot read or write is said to be unsupported", () => {
  refuses(Buffer.from(encodeBatch(batch, "none").fill(3, 5, 6)), "CODEC_UNSUPPORTED");
  if (READABLE_CODECS.includes("zstd")) return;
  assert.throws(() => encodeBatch(batch, "zstd"), { code: "CODEC_UNSUPPORTED" });
  refuses(fileOf(bodyOf(JSON.stringify(header)), 2), "CODEC_UNSUPPORTED");
});

test("bytes after the batch, and lengths that reach beyond it, are corrupt", () => {
  for (const codec of READABLE_CODECS) {
    refuses(Buffer.concat([encodeBatch(batch, codec), Buffer.from([0])]), "BATCH_CORRUPT");
  }
});

test("a header that names another batch than the prefix is malformed", () => {
  const frames = [u32(2), u32(0), u32(0)];
  const other: Partial<BatchHeader>[] = [{ number: 1 }, { stream: "6f1c2a50-8f4e-4b7a-9c1d-2e3f40516274" }];
  for (const change of [{ stream: header.stream.toUpperCase() }, ...other])
    refuses(fileOf(bodyOf(JSON.stringify({ ...header, ...change }), ...frames)), "BATCH_MALFORMED");
  assert.deepEqual(decodeBatch(fileOf(bodyOf(JSON.stringify(header), ...frames))).header, header);
});

test("a header that is no JSON, or lacks a part, is malformed", () => {
  const frames = [u32(2), u32(0), u32(0)];
  for (const json of ["", "{", "null", "[]", "1", "{}", '{"version":1}', '{"version":1,"host":null}'])
    refuses(fileOf(bodyOf(json, ...frames)), "BATCH_MALFORMED", json);
  const lists = [
    "apps",
    "processSeconds",
    "actions",
    "operations",
    "statements",
    "errors",
    "ledger",
    "traces",
  ];
  for (const list of lists) {
    for (const value of [undefined, null, {}, "x"])
      refuses(
        fileOf(bodyOf(JSON.stringify({ ...header, [list]: value }), ...frames)),
        "BATCH_MALFORMED",
        list,
      );
  }
  refuses(fileOf(bodyOf(JSON.stringify({ ...header, version: 2 }), ...frames)), "BATCH_MALFORMED");
});

test("a body that ends early, goes on after its frames, or has not one frame for each trace is malformed", () => {
  const json = JSON.stringify(header);
  const bodies = [
    Buffer.alloc(0),
    u32(0xffffffff),
    bodyOf(json),
    bodyOf(json, u32(2)),
    bodyOf(json, u32(2), u32(0), u32(1)),
    bodyOf(json, u32(1), u32(0)),
    bodyOf(json, u32(3), u32(0), u32(0), u32(0)),
    bodyOf(json, u32(2), u32(0), u32(0), Buffer.from([0])),
  ];
  for (const body of bodies) refuses(fileOf(body), "BATCH_MALFORMED", body.subarray(-16).toString("hex"));
});

test("a count of frames is judged before frames are read", () => {
  const body = bodyOf(JSON.stringify(header), u32(0xffffffff), Buffer.alloc(4_000_000));
  const before = process.memoryUsage().heapUsed;
  refuses(fileOf(body), "BATCH_MALFORMED");
  assert.ok(process.memoryUsage().heapUsed - before < 16 * 1_048_576);
});

test("a body inflates up to its limit and not a byte further", () => {
  const body = (padding: number): Buffer =>
    bodyOf(JSON.stringify({ ...header, traces: [], padding: "x".repeat(padding) }), u32(0));
  const padding = MAX_BATCH_BODY_BYTES - body(0).length;
  for (const codec of [0, 1] as const) {
    assert.equal(decodeBatch(fileOf(body(padding), codec)).frames.length, 0);
    refuses(fileOf(body(padding + 1), codec), "LIMIT_EXCEEDED");
  }
});

test("a frame has at most the bytes of a message", () => {
  const head = bodyOf(JSON.stringify({ ...header, traces: [trace] }));
  const body = (bytes: number): Buffer => Buffer.concat([head, u32(1), u32(bytes), Buffer.alloc(bytes)]);
  assert.equal(decodeBatch(fileOf(body(MAX_MESSAGE_BYTES))).frames[0]?.length, MAX_MESSAGE_BYTES);
  refuses(fileOf(body(MAX_MESSAGE_BYTES + 1)), "LIMIT_EXCEEDED");
});

test("more traces than a batch can have are refused before their frames are read", () => {
  const body = (traces: number): Buffer =>
    bodyOf(
      JSON.stringify({ ...header, traces: Array.from({ length: traces }, () => 0) }),
      u32(traces),
      Buffer.alloc(4 * traces),
    );
  assert.equal(decodeBatch(fileOf(body(MAX_BATCH_TRACES))).frames.length, MAX_BATCH_TRACES);
  refuses(fileOf(body(MAX_BATCH_TRACES + 1)), "LIMIT_EXCEEDED");
});

test("a body that announces too much, or holds more than it announces, costs no memory", () => {
  const stored = zlib.gzipSync(Buffer.alloc(64 * 1_048_576));
  const liar = Buffer.from(stored);
  liar.writeUInt32LE(1_000, liar.length - 4);
  for (const gzip of [stored, liar]) {
    const bytes = fileOf(gzip);
    bytes[5] = 1;
    const before = process.memoryUsage.rss();
    refuses(bytes, "LIMIT_EXCEEDED");
    assert.ok(process.memoryUsage.rss() - before < 8 * 1_048_576);
  }
});

test("a header of very many empty rows is refused before it is parsed", () => {
  const rows = (count: number): string =>
    JSON.stringify({ ...header, traces: [] }).replace(
      '"actions":[]',
      `"actions":[${"{},".repeat(count - 1)}{}]`,
    );
  const bytes = (count: number): Buffer => fileOf(bodyOf(rows(count), u32(0)), 1);
  const others = rows(1).split(/[[{]/).length - 2;
  assert.equal(
    decodeBatch(bytes(MAX_BATCH_HEADER_NODES - others)).header.actions.length,
    MAX_BATCH_HEADER_NODES - others,
  );
  refuses(bytes(MAX_BATCH_HEADER_NODES - others + 1), "LIMIT_EXCEEDED");
});

test("a small file that would inflate to gigabytes is refused at the limit", () => {
  // One gzip member of 4 MiB zeros, 256 times in a row: 1 GiB from about 1 MiB.
  const member = zlib.gzipSync(Buffer.alloc(4 * 1_048_576));
  const stored = Buffer.concat(Array.from({ length: 256 }, () => member));
  const bytes = fileOf(stored);
  bytes[5] = 1;
  assert.ok(bytes.length < 2 * 1_048_576);
  refuses(bytes, "LIMIT_EXCEEDED");
});

test("what is no compressed data is corrupt, also under a right checksum", () => {
  const bytes = fileOf(Buffer.from("this is not gzip"));
  bytes[5] = 1;
  refuses(bytes, "BATCH_CORRUPT");
});
