import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  type BatchHeader,
  encodeBatch,
  MESSAGE_HEADER_BYTES,
  SpanEncoder,
  TraceEntry,
} from "@apm-daemon/protocol";
import { runApm, tempFolder } from "../test-support/run-apm.ts";

const folder = tempFolder();
let files = 0;

function header(more: Partial<BatchHeader>): BatchHeader {
  return {
    version: 1,
    stream: "01234567-89ab-cdef-0123-456789abcdef",
    number: 7,
    createdUnixMs: 1_790_000_000_000,
    host: {
      id: "f00d",
      name: "web-1",
      os: "Debian 12",
      kernel: "6.1",
      arch: "x64",
      cpuModel: "CPU",
      cores: 4,
      memTotalBytes: 8 * 1_024 ** 3,
      virtualization: "",
      bootUnixMs: 0,
      daemonVersion: "0.1.0",
      nodeVersion: "20.20.2",
    },
    apps: [{ app: "shop", apdexTMs: 500, instances: [] }],
    hostSeconds: { tsSec: [1_790_000_000, 1_790_000_001], columns: {} },
    hostSnapshot: null,
    processSeconds: [],
    actions: [
      {
        tsSec: 1_790_000_000,
        app: "shop",
        action: "GET /users/:id",
        kind: "web",
        status: 200,
        requests: 1_234,
        errors: 5,
        satisfied: 1_229,
        tolerating: 0,
        frustrated: 5,
        sumUs: 1_234 * 20_000,
        maxUs: 90_000,
        codeUs: 1_234 * 20_000,
        databaseUs: 0,
        cacheUs: 0,
        externalUs: 0,
        queueUs: 0,
        histogram: { buckets: [457], counts: [1_234] },
      },
    ],
    operations: [],
    statements: [],
    errors: [],
    ledger: [{ tsSec: 1_790_000_000, app: "shop", received: 1_234, dropped: { agent_ring_full: 3 } }],
    traces: [],
    journal: { sealed: 4_096, replayFrom: 1_024 },
    ...more,
  };
}

function batchFile(more: Partial<BatchHeader> = {}, frames: Uint8Array[] = []): string {
  const path = join(folder, `${files++}.batch`);
  writeFileSync(path, encodeBatch({ header: header(more), frames }, "gzip"));
  return path;
}

test("shows what a batch says", async () => {
  const { code, stdout } = await runApm(["batch", "show", batchFile()]);
  assert.equal(code, 0);
  assert.match(stdout, /^batch 7 of stream 01234567-89ab-cdef-0123-456789abcdef\n/);
  assert.match(stdout, /journal sealed up to 4096, replay from 1024/);
  assert.match(stdout, /2 host seconds from \d\d:\d\d:\d\d/);
  assert.match(stdout, /shop +GET \/users\/:id +200 +1,234 +5 +20 ms +2\d\.?\d* ms/);
  assert.match(stdout, /shop +1,234 +3 agent_ring_full/);
});

/** A SPANS payload with a request and its query, which ends first. */
function traceFrame(): Buffer {
  const encoder = new SpanEncoder();
  const trace = new TraceEntry(1, 2, 3, 4, 0, 1);
  const shape = encoder.shapes.root("test", 1).follow("db.query.text", 0);
  assert.ok(shape);
  const common = { trace, hasRemoteParent: false, idHi: 0, parentHi: 0 };
  const query = { ...common, idLo: 2, parentLo: 1, isLocalRoot: false };
  const root = { ...common, idLo: 1, parentLo: 0, isLocalRoot: true };
  encoder.begin(1_790_000_000_000_000);
  encoder.add(
    { ...query, shape, values: ["select 1"], name: "SELECT", hasError: true, extra: null },
    5e6,
    4e6,
  );
  const rootShape = encoder.shapes.root("test", 1);
  encoder.add(
    { ...root, shape: rootShape, values: [], name: "GET /x", hasError: false, extra: null },
    12e6,
    12e6,
  );
  return encoder.take(1).subarray(MESSAGE_HEADER_BYTES);
}

test("shows a kept trace as a tree of spans", async () => {
  const summary = {
    traceId: "00000001000000020000000300000004",
    rootSpanId: "0000000000000001",
    app: "shop",
    instance: "a".repeat(32),
    action: "GET /x",
    kind: "web" as const,
    startUnixMs: 1_790_000_000_000,
    durationUs: 12_000,
    status: 500,
    error: true,
    spans: 2,
    reason: "error" as const,
  };
  const file = batchFile({ traces: [summary] }, [traceFrame()]);
  const { stdout } = await runApm(["batch", "show", "--traces", file]);
  assert.match(
    stdout,
    /trace 0{7}1.*: GET \/x, 12 ms\n {2}GET \/x {2}12 ms\n {4}SELECT {2}4 ms {2}ERROR {2}db\.query\.text=select 1\n/,
  );
  assert.doesNotMatch((await runApm(["batch", "show", file])).stdout, /select 1/);
});

test("prints the header as JSON", async () => {
  const { stdout } = await runApm(["batch", "show", batchFile(), "--json"]);
  assert.deepEqual(JSON.parse(stdout), header({}));
});

test("names from apps cannot play with the terminal", async () => {
  const evil = "GET \u001b[2J\u202e/x\nbatch 8";
  const [action] = header({}).actions;
  assert.ok(action);
  const { stdout } = await runApm(["batch", "show", batchFile({ actions: [{ ...action, action: evil }] })]);
  assert.ok(stdout.includes("GET \\u{1b}[2J\\u{202e}/x\\u{a}batch 8"), stdout);
  assert.ok(!stdout.includes("\u001b"));
});

test("garbage, a cut file, a folder and nothing at all each get a sentence and exit code 1", async () => {
  const garbage = join(folder, "garbage");
  writeFileSync(garbage, "no batch, but more than forty bytes of something else");
  const cut = join(folder, "cut");
  writeFileSync(cut, encodeBatch({ header: header({}), frames: [] }, "gzip").subarray(0, 200));
  const empty = join(folder, "empty");
  writeFileSync(empty, "");
  const odd = join(folder, "odd");
  const oddHeader = { ...header({}), host: null, actions: 5 } as unknown as BatchHeader;
  writeFileSync(odd, encodeBatch({ header: oddHeader, frames: [] }, "none"));
  for (const file of [garbage, cut, empty, odd, folder, join(folder, "absent")]) {
    const { code, stdout, stderr } = await runApm(["batch", "show", file]);
    assert.deepEqual([code, stdout], [1, ""], file);
    assert.match(stderr, /^apm: \S.+\n$/);
    assert.ok(stderr.includes(file), stderr);
  }
});
