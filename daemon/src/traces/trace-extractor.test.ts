import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AttributeValue,
  decodeSpans,
  decodeSpansHeader,
  FINGERPRINT_KEY,
  parseSpanExtra,
} from "@apm-daemon/protocol";
import * as fc from "fast-check";
import { FrameWriter, KIND, spanId, type TestSpan } from "../testing/frame-writer.ts";
import { cut, plannedRequests, spansOf } from "../testing/request-trees.ts";
import { type ExtractedTrace, extractTraces, type FrameArchive } from "./trace-extractor.ts";
import type { KeptTrace } from "./trace-keeper.ts";

const START_US = 1_790_000_000_000_000;

interface Shown {
  id: string;
  parent: string;
  traceId: string;
  name: string;
  kind: number;
  isRoot: boolean;
  hasError: boolean;
  endUnixUs: number;
  durationUs: number;
  attributes: Record<string, AttributeValue>;
  extra: object;
}

/** Frames by position; those that are not there are gone from the journal. */
function archiveOf(frames: ReadonlyMap<number, Buffer>): FrameArchive & { isOpen: boolean } {
  return {
    isOpen: false,
    readFrame(position) {
      this.isOpen = true;
      const frame = frames.get(position);
      if (frame === undefined) throw new Error("gone");
      return frame;
    },
    endReading() {
      this.isOpen = false;
    },
  };
}

function kept(root: string, positions: readonly number[], traceId = root + root): KeptTrace {
  return {
    positions,
    summary: {
      traceId,
      rootSpanId: root,
      app: "shop",
      instance: "",
      action: "",
      kind: "web",
      startUnixMs: 0,
      durationUs: 0,
      status: 0,
      error: false,
      spans: 0,
      reason: "slow",
    },
  };
}

function shownIn(found: ExtractedTrace | null): Shown[] {
  const shown: Shown[] = [];
  if (found === null) return shown;
  const payload = Buffer.from(found.frame);
  const { baseUnixUs } = decodeSpansHeader(payload);
  const hex = (hi: number, lo: number): string =>
    hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0");
  decodeSpans(payload, (span) => {
    shown.push({
      id: hex(span.idHi, span.idLo),
      parent: hex(span.parentHi, span.parentLo),
      traceId: span.trace.traceId,
      name: span.name,
      kind: span.shape.kind,
      isRoot: span.isLocalRoot,
      hasError: span.hasError,
      // A µs of today leaves the fraction two bits.
      endUnixUs: Math.round(baseUnixUs + span.endOffsetNs / 1_000),
      durationUs: span.durationNs / 1_000,
      attributes: Object.fromEntries(
        span.shape.keys.map((key, i) => [key, span.shape.values[i] as AttributeValue]),
      ),
      extra: parseSpanExtra(span.extraJson),
    });
  });
  return shown.sort((a, b) => a.id.localeCompare(b.id));
}

/** Without what the daemon adds. */
function asSent(spans: Shown[]): Shown[] {
  return spans.map(({ attributes, ...rest }) => {
    const { [FINGERPRINT_KEY]: _, ...sent } = attributes;
    return { ...rest, attributes: sent };
  });
}

function expectedOf(spans: readonly TestSpan[], root: string): Shown[] {
  return spans
    .filter((span) => span.root === root)
    .map((span) => ({
      id: span.id,
      parent: span.id === root ? spanId(0) : root,
      traceId: span.traceId ?? root + root,
      name: span.name,
      kind: span.kind,
      isRoot: span.id === root,
      hasError: span.hasError ?? false,
      endUnixUs: span.endUnixUs,
      durationUs: span.durationUs,
      attributes: span.attributes ?? {},
      extra: span.extra ?? {},
    }))
    .sort((a, b) => a.id.localeCompare(b.id));
}

test("the spans of exactly the wanted traces come back as they were sent, however they were cut into frames", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(plannedRequests, sizes, (requests, frameSizes) => {
      const writer = new FrameWriter();
      const frames = new Map<number, Buffer>();
      const positions = new Map<string, number[]>();
      const spans = spansOf(requests, START_US);
      cut(spans, frameSizes).forEach((piece, i) => {
        frames.set(i * 10, writer.payload(piece));
        for (const { root } of piece)
          positions.set(root, [...new Set([...(positions.get(root) ?? []), i * 10])]);
      });
      const wanted = [...positions.keys()].filter((_, i) => i % 2 === 0);
      const archive = archiveOf(frames);
      const found = extractTraces(
        archive,
        wanted.map((root) => kept(root, positions.get(root) ?? [])),
      );
      assert.equal(archive.isOpen, false);
      wanted.forEach((root, i) =>
        assert.deepEqual(asSent(shownIn(found[i] ?? null)), expectedOf(spans, root)),
      );
    }),
    { numRuns: 150 },
  );
});

const ROOT = spanId(1);
const root: TestSpan = {
  root: ROOT,
  id: ROOT,
  name: "GET /",
  kind: KIND.server,
  endUnixUs: START_US + 20_000_000,
  durationUs: 20_000_000,
};
const child = (number: number, changes: Partial<TestSpan> = {}): TestSpan => ({
  root: ROOT,
  id: spanId(100 + number),
  name: `child ${number}`,
  kind: KIND.internal,
  endUnixUs: START_US + number,
  durationUs: number,
  ...changes,
});

test("attributes of every type, exceptions and a trace longer than 4.3 s survive", () => {
  const spans = [
    child(1, {
      attributes: {
        text: "zwölf 🕛",
        whole: -5,
        half: 0.5,
        isSo: true,
        list: ["a", 1, null, false],
        empty: "",
      },
      hasError: true,
      extra: { statusMessage: "no", events: [{ name: "exception", offsetNs: 7, attributes: { a: "b" } }] },
    }),
    child(2, { attributes: { whole: 2_147_483_647, large: 2 ** 40, list: [] } }),
    root,
  ];
  const frame = new FrameWriter().payload(spans);
  const [found] = extractTraces(archiveOf(new Map([[0, frame]])), [kept(ROOT, [0])]);
  assert.deepEqual(shownIn(found ?? null), expectedOf(spans, ROOT));
});

test("a call to a database gets the fingerprint that its operation is counted under; an agent's own is not believed", () => {
  const query = (id: number, system: string, text: string): TestSpan =>
    child(id, {
      kind: KIND.client,
      attributes: { [FINGERPRINT_KEY]: "forged", "db.system.name": system, "db.query.text": text },
    });
  const spans = [
    query(1, "mysql", "SELECT ?"),
    query(2, "postgresql", "SELECT ?"),
    query(3, "mysql", "SELECT ?"),
    query(4, "redis", "GET"),
    root,
  ];
  const frame = new FrameWriter().payload(spans);
  const [found] = extractTraces(archiveOf(new Map([[0, frame]])), [kept(ROOT, [0])]);
  const shown = shownIn(found ?? null).filter(({ isRoot }) => !isRoot);
  const fingerprints = shown.map(({ attributes }) => attributes[FINGERPRINT_KEY]);
  // Written out: it must never change, for it tells the same statement of last year.
  assert.deepEqual(fingerprints, ["574ec9451ec664c1", "de49047a3f22be63", "574ec9451ec664c1", undefined]);
});

test("where statements stay on the host the copy has the fingerprint alone, wherever the text was", () => {
  const secret = "SELECT secret";
  const spans = [
    child(1, {
      kind: KIND.client,
      attributes: {
        "db.system": "mysql",
        "db.statement": secret,
        "db.query.parameter.0": secret,
        other: "kept",
      },
      extra: {
        statusMessage: "no",
        attributes: { "db.query.text": secret, surplus: 1 },
        events: [{ name: "e", offsetNs: 7, attributes: { "db.statement": secret, a: "b" } }],
        links: [
          { traceId: "ab".repeat(16), spanId: "ab".repeat(8), attributes: { "db.query.text": secret } },
        ],
      },
    }),
    root,
  ];
  const frame = new FrameWriter().payload(spans);
  const [found] = extractTraces(archiveOf(new Map([[0, frame]])), [kept(ROOT, [0])], "hidden");
  assert.ok(found && !Buffer.from(found.frame).includes(secret));
  const copy = shownIn(found).find(({ name }) => name === "child 1");
  assert.deepEqual(Object.keys(copy?.attributes ?? {}), ["db.system", "other", FINGERPRINT_KEY]);
  assert.deepEqual(copy?.extra, {
    statusMessage: "no",
    attributes: { surplus: 1 },
    events: [{ name: "e", offsetNs: 7, attributes: { a: "b" } }],
    links: [{ traceId: "ab".repeat(16), spanId: "ab".repeat(8), attributes: {} }],
  });
});

test("what is gone from the journal is missing, the rest is there; all gone is null", () => {
  const writer = new FrameWriter();
  const frames = new Map([[20, writer.payload([child(1)])]]);
  const found = extractTraces(archiveOf(frames), [kept(ROOT, [10, 20, 30]), kept(spanId(2), [10, 30])]);
  assert.deepEqual(
    shownIn(found[0] ?? null).map(({ name }) => name),
    ["child 1"],
  );
  assert.equal(found[1], null);
});

test("a malformed frame gives the spans before its bad byte", () => {
  const frame = new FrameWriter().payload([child(1), root]);
  const [found] = extractTraces(archiveOf(new Map([[0, frame.subarray(0, frame.length - 3)]])), [
    kept(ROOT, [0]),
  ]);
  assert.deepEqual(
    shownIn(found ?? null).map(({ name }) => name),
    ["child 1"],
  );
});

test("of an endless trace the root and at most 2,000 spans are kept", () => {
  const writer = new FrameWriter();
  const frames = new Map<number, Buffer>();
  for (let i = 0; i < 30; i++)
    frames.set(
      i,
      writer.payload(Array.from({ length: 100 }, (_, k) => child(i * 100 + k, { name: "child" }))),
    );
  frames.set(30, writer.payload([root, root, root]));
  const [found] = extractTraces(archiveOf(frames), [kept(ROOT, [...frames.keys()])]);
  const shown = shownIn(found ?? null);
  assert.equal(shown.length, 2_001);
  assert.equal(shown.filter(({ isRoot }) => isRoot).length, 1);
});

test("a trace of large spans is cut at its size, the root stays", () => {
  const writer = new FrameWriter();
  const frames = new Map<number, Buffer>();
  for (let i = 0; i < 20; i++)
    frames.set(
      i,
      writer.payload(
        Array.from({ length: 4 }, (_, k) =>
          child(i * 4 + k, { attributes: { text: `${i * 4 + k}`.padEnd(16_000, "x") } }),
        ),
      ),
    );
  frames.set(20, writer.payload([root]));
  const [found] = extractTraces(archiveOf(frames), [kept(ROOT, [...frames.keys()])]);
  assert.ok(found && found.frame.length <= 262_144);
  const shown = shownIn(found);
  assert.ok(shown.some(({ isRoot }) => isRoot));
  assert.ok(shown.length > 3);
});

/** Alike calls below the root, if nothing else is said. */
function calls(
  count: number,
  attributes: Record<string, AttributeValue>,
  changes: Partial<TestSpan> = {},
): TestSpan[] {
  return Array.from({ length: count }, (_, i) =>
    child(++callNumber, {
      name: "call",
      kind: KIND.client,
      durationUs: 2,
      endUnixUs: START_US + i,
      attributes,
      ...changes,
    }),
  );
}
let callNumber = 1_000;

const query = (
  text: string,
  changes: Record<string, AttributeValue> = {},
): Record<string, AttributeValue> => ({
  "db.system.name": "mysql",
  "db.operation.name": "SELECT",
  "db.collection.name": "items",
  "db.query.text": text,
  ...changes,
});

/** "calls of what below which parent", for what was called too often. */
function repeatsOf(spans: TestSpan[], frameSize = 1_000): string[] {
  const writer = new FrameWriter();
  const frames = new Map(cut([...spans, root], [frameSize]).map((piece, i) => [i, writer.payload(piece)]));
  const [found] = extractTraces(archiveOf(frames), [kept(ROOT, [...frames.keys()])]);
  return (found?.repeats ?? []).map(
    ({ calls: count, system, operation, parentSpanId, totalUs }) =>
      `${count} × ${system} ${operation} below ${Number.parseInt(parentSpanId, 16)}, ${totalUs} µs`,
  );
}

test("a statement that ran eleven times below one span is a repeat, one that ran ten times is none", () => {
  const statement = query("SELECT * FROM items WHERE id = ?");
  assert.deepEqual(repeatsOf(calls(10, statement)), []);
  assert.deepEqual(repeatsOf(calls(11, statement)), ["11 × mysql SELECT items below 1, 22 µs"]);
  const [found] = extractTraces(
    archiveOf(new Map([[0, new FrameWriter().payload([...calls(11, query("SELECT ?")), root])]])),
    [kept(ROOT, [0])],
    "hidden",
  );
  // Written out: fingerprints never change; and of the text there is nothing more.
  assert.equal(found?.repeats[0]?.statement, "574ec9451ec664c1");
  assert.deepEqual(Object.keys(found?.repeats[0] ?? {}).sort(), [
    "calls",
    "operation",
    "parentSpanId",
    "statement",
    "system",
    "totalUs",
  ]);
});

test("a repeat is found whatever ran between, on whichever server, and in however many frames", () => {
  const one = calls(11, query("SELECT a", { "server.address": "db-1" }));
  const other = calls(11, query("SELECT b"));
  const mixed = one.flatMap((span, i) => [
    i % 2 === 0 ? span : { ...span, attributes: { ...span.attributes, "server.address": "db-2" } },
    other[i] as TestSpan,
  ]);
  for (const frameSize of [1, 7, 1_000])
    assert.deepEqual(repeatsOf(mixed, frameSize), Array(2).fill("11 × mysql SELECT items below 1, 22 µs"));
});

test("the same statement below different spans is none, and each span with eleven is one", () => {
  const statement = query("SELECT ?");
  const below = (parent: number, count: number): TestSpan[] =>
    calls(count, statement, { parent: spanId(parent) });
  assert.deepEqual(repeatsOf([...below(101, 10), ...below(102, 10)]), []);
  assert.deepEqual(repeatsOf([...below(101, 11), ...below(102, 12), ...below(103, 10)]), [
    "12 × mysql SELECT items below 102, 24 µs",
    "11 × mysql SELECT items below 101, 22 µs",
  ]);
});

test("commands of caches are alike by their name; other services, transactions and SQL without its text are not counted", () => {
  const cache = { "db.system.name": "redis", "db.operation.name": "GET" };
  assert.deepEqual(repeatsOf(calls(11, cache)), ["11 × redis GET below 1, 22 µs"]);
  const find = { "db.system.name": "mongodb", "db.operation.name": "find", "db.collection.name": "users" };
  assert.deepEqual(repeatsOf(calls(11, find)), ["11 × mongodb find users below 1, 22 µs"]);
  for (const attributes of [
    { "http.request.method": "GET", "server.address": "pay" },
    { "db.system.name": "mysql", "db.operation.name": "SELECT" },
    query("BEGIN"),
    query("commit"),
    query("START TRANSACTION READ ONLY"),
  ])
    assert.deepEqual(repeatsOf(calls(20, attributes)), [], JSON.stringify(attributes));
});

test("of many repeats the five with most calls are told, and spans without room in the trace are counted too", () => {
  const many = Array.from({ length: 8 }, (_, i) => calls(11 + i, query(`SELECT ${i}`))).flat();
  assert.deepEqual(
    repeatsOf(many).map((text) => text.split(" ")[0]),
    ["18", "17", "16", "15", "14"],
  );
  assert.deepEqual(repeatsOf(calls(3_000, query("SELECT ?"))), [
    "3000 × mysql SELECT items below 1, 6000 µs",
  ]);
});

test("an endless trace of ever new calls is counted up to a limit", () => {
  const ever = (from: number, to: number): TestSpan[] =>
    Array.from({ length: to - from }, (_, i) => calls(1, query(`SELECT ${from + i}`))).flat();
  assert.deepEqual(repeatsOf([...ever(0, 4_999), ...calls(11, query("SELECT a"))]).length, 1);
  assert.deepEqual(repeatsOf([...ever(0, 5_000), ...calls(11, query("SELECT a"))]).length, 0);
});

test("spans with more attributes than shapes take keep them all", () => {
  const attributes = Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`key.${i}`, i]));
  const spans = [child(1, { attributes }), root];
  const frame = new FrameWriter().payload(spans);
  const [found] = extractTraces(archiveOf(new Map([[0, frame]])), [kept(ROOT, [0])]);
  assert.deepEqual(shownIn(found ?? null), expectedOf(spans, ROOT));
});
