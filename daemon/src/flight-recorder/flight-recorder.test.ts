import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { decodeSpans, MAX_UPLINK_MESSAGE_BYTES, MessageType, parseWant } from "@apm-daemon/protocol";
import { Journal } from "../journal/journal.ts";
import { FrameWriter, KIND, spanId, type TestSpan } from "../testing/frame-writer.ts";
import { LoggedLines } from "../testing/logged-lines.ts";
import { tempDir } from "../testing/temp-dir.ts";
import { FlightRecorder } from "./flight-recorder.ts";
import { foundMessages } from "./found-messages.ts";
import { localTrace } from "./local-trace.ts";
import { type RingAnswer, searchRing } from "./ring-search.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const START_MS = 1_790_000_000_000;
const WITHIN_MS = 20_000;

/** A journal that is written by hand, and its recorder. */
class Ring {
  readonly journal: Journal;
  readonly recorder: FlightRecorder;
  readonly #writers = new Map<string, FrameWriter>();
  #clockMs = START_MS;

  constructor(t: TestContext, sizes: { segmentBytes?: number; capBytes?: number } = {}) {
    const { segmentBytes = 1_000_000, capBytes = 1e9 } = sizes;
    this.journal = new Journal({ dir: tempDir(t), segmentBytes, capBytes, fsync: "seal" });
    this.recorder = new FlightRecorder({ journal: this.journal, log: new LoggedLines().log });
    t.after(async () => {
      await this.recorder.stop();
      this.journal.close();
    });
  }

  /** Journals one frame of an app's process, received a second after the one before. */
  write(app: string, spans: readonly TestSpan[]): void {
    const writer = this.#writers.get(app) ?? new FrameWriter();
    this.#writers.set(app, writer);
    this.writePayload(app, writer.payload(spans));
  }

  writePayload(app: string, payload: Buffer): void {
    const instance = this.journal.createInstance(JSON.stringify({ app, instance: `instance of ${app}` }));
    this.journal.append(instance, (this.#clockMs += 1_000), MessageType.spans, payload);
    this.journal.flush();
  }

  find(...traceIds: string[]): Promise<RingAnswer> {
    return this.recorder.find(traceIds, WITHIN_MS, "shown");
  }
}

function span(root: number, id: number, changes: Partial<TestSpan> = {}): TestSpan {
  return {
    root: spanId(root),
    id: spanId(id),
    traceId: TRACE,
    name: `span ${id}`,
    kind: id === root ? KIND.server : KIND.client,
    endUnixUs: START_MS * 1_000 + id * 1_000,
    durationUs: 500,
    ...changes,
  };
}

function otherSpan(id: number, bytes = 0): TestSpan {
  return span(id, id, { traceId: spanId(id) + spanId(id), attributes: { pad: "x".repeat(bytes) } });
}

function idsOf(frame: Uint8Array): string[] {
  const ids: string[] = [];
  decodeSpans(Buffer.from(frame), (view) => ids.push(spanId(view.idHi * 2 ** 32 + view.idLo)));
  return ids.sort();
}

test("brings the spans of one trace from several segments and processes: one part for each local root", async (t) => {
  const ring = new Ring(t, { segmentBytes: 3_000 });
  ring.write("shop", [span(1, 2), otherSpan(90, 4_000)]);
  ring.write("stock", [
    span(10, 11, { hasError: true }),
    span(10, 10, { attributes: { "http.response.status_code": 503 } }),
  ]);
  ring.write("shop", [otherSpan(91, 4_000)]);
  ring.write("shop", [otherSpan(92), span(1, 3), span(1, 1, { durationUs: 5_000 })]);
  assert.ok(ring.journal.segments >= 3);
  const { parts, oldestUnixMs, gap } = await ring.find(TRACE);
  assert.deepEqual([gap, oldestUnixMs], ["", START_MS + 1_000]);
  const [shop, stock] = parts.sort((a, b) => (a.summary.app < b.summary.app ? -1 : 1));
  assert.equal(parts.length, 2);
  assert.deepEqual(shop?.summary, {
    traceId: TRACE,
    rootSpanId: spanId(1),
    app: "shop",
    instance: "instance of shop",
    action: "span 1",
    kind: "web",
    startUnixMs: START_MS + 1 - 5,
    durationUs: 5_000,
    status: 0,
    error: false,
    spans: 3,
    reason: "fetched",
  });
  assert.deepEqual(idsOf(shop.frame), [1, 2, 3].map(spanId));
  assert.deepEqual([stock?.summary.status, stock?.summary.error, stock?.summary.spans], [503, true, 2]);
  assert.deepEqual(idsOf(stock?.frame ?? Buffer.alloc(0)), [10, 11].map(spanId));
});

test("finds a request that has not ended, and says that it is unfinished", async (t) => {
  const ring = new Ring(t);
  ring.write("shop", [span(1, 2), span(1, 4, { hasError: true })]);
  const { parts } = await ring.find(TRACE);
  assert.equal(parts.length, 1);
  const { reason, action, spans, error, durationUs } = parts[0]?.summary ?? assert.fail();
  assert.deepEqual([reason, action, spans, error], ["unfinished", "(unfinished)", 2, true]);
  assert.equal(durationUs, 2_500);
});

test("answers several traces at once, and nothing for one that was never there", async (t) => {
  const ring = new Ring(t);
  ring.write("shop", [otherSpan(1), otherSpan(2), otherSpan(3)]);
  const ids = [1, 3, 4].map((id) => spanId(id) + spanId(id));
  const { parts, gap } = await ring.find(...ids);
  assert.deepEqual(parts.map(({ summary }) => summary.traceId).sort(), ids.slice(0, 2));
  assert.equal(gap, "");
  const none = await ring.find("f".repeat(32));
  assert.deepEqual(none, { parts: [], oldestUnixMs: START_MS + 1_000, gap: "" });
});

test("an empty ring reaches back to no time at all", async (t) => {
  assert.deepEqual(await new Ring(t).find(TRACE), { parts: [], oldestUnixMs: null, gap: "" });
});

test("finds a trace wherever its id lies in the file", async (t) => {
  const ring = new Ring(t, { segmentBytes: 8_000_000 });
  // Windows of 1 MiB are searched: move the id over the border between the first two, byte by byte.
  const before = ring.journal.position;
  ring.write("shop", [otherSpan(99, 1_024)]);
  const overhead = ring.journal.position - before;
  for (let filled = overhead; filled < 1_048_576 - 3_000; filled = ring.journal.position)
    ring.write("shop", [otherSpan(99, Math.min(15_000, 1_048_576 - 2_000 - filled))]);
  const shifts = 64;
  for (let i = 0; i < shifts; i++)
    ring.write("shop", [span(100 + i, 100 + i, { traceId: i === 0 ? TRACE : spanId(i) + spanId(7) })]);
  assert.ok(ring.journal.position > 1_048_576 + 1_000, String(ring.journal.position));
  for (let i = 1; i < shifts; i++) {
    const question = {
      segments: ring.journal.ring(),
      traceIds: [spanId(i) + spanId(7)],
      withinMs: WITHIN_MS,
      statementTexts: "shown" as const,
    };
    assert.equal(searchRing(question).parts.length, 1, `trace ${i}`);
  }
});

test("counts a frame once that is in the journal twice", async (t) => {
  const ring = new Ring(t);
  const payload = new FrameWriter().payload([span(1, 2), span(1, 1)]);
  ring.writePayload("shop", payload);
  ring.writePayload("shop", payload);
  const { parts } = await ring.find(TRACE);
  assert.equal(parts[0]?.summary.spans, 2);
  assert.deepEqual(idsOf(parts[0]?.frame ?? Buffer.alloc(0)), [1, 2].map(spanId));
});

test("a damaged record costs its own spans only, and a frame whose sender is unknown is nobody's", async (t) => {
  const ring = new Ring(t);
  ring.write("shop", [span(1, 2)]);
  const damagedAt = ring.journal.position;
  ring.write("shop", [span(1, 3)]);
  ring.write("shop", [span(1, 1)]);
  const segment = ring.journal.ring()[0] ?? assert.fail();
  const bytes = readFileSync(segment.path);
  const at = bytes.indexOf(Buffer.from(TRACE, "hex"), damagedAt);
  bytes.writeUInt8(bytes.readUInt8(at + 20) ^ 1, at + 20);
  writeFileSync(segment.path, bytes);
  const { parts } = await ring.find(TRACE);
  assert.deepEqual(idsOf(parts[0]?.frame ?? Buffer.alloc(0)), [1, 2].map(spanId));
  ring.journal.append(
    ring.journal.createInstance("no JSON"),
    START_MS,
    MessageType.spans,
    new FrameWriter().payload([span(5, 5)]),
  );
  ring.journal.flush();
  assert.equal((await ring.find(TRACE)).parts.length, 1);
});

test("the ring may go on while it is searched: a segment that is gone is passed over", async (t) => {
  const ring = new Ring(t, { segmentBytes: 2_000 });
  ring.write("shop", [span(1, 2), otherSpan(90, 3_000)]);
  ring.write("shop", [span(1, 1), otherSpan(91, 3_000)]);
  rmSync(ring.journal.ring().at(-1)?.path ?? "");
  const { parts, oldestUnixMs, gap } = await ring.find(TRACE);
  assert.deepEqual(
    [idsOf(parts[0]?.frame ?? Buffer.alloc(0)), oldestUnixMs, gap],
    [[spanId(1)], START_MS + 2_000, ""],
  );
});

test("one question is searched for and 16 wait; the next is told to come later, and all others are answered", async (t) => {
  const ring = new Ring(t);
  ring.write("shop", [span(1, 1)]);
  const answers = await Promise.all(Array.from({ length: 20 }, () => ring.find(TRACE)));
  assert.deepEqual(
    answers.map(({ gap, parts }) => gap || parts.length),
    [...Array.from({ length: 17 }, () => 1), "busy", "busy", "busy"],
  );
  assert.equal((await ring.find(TRACE)).parts.length, 1);
});

test("a question whose time is over is answered at once, with the reason", async (t) => {
  const ring = new Ring(t);
  ring.write("shop", [span(1, 1)]);
  assert.deepEqual(await ring.recorder.find([TRACE], 1, "shown"), {
    parts: [],
    oldestUnixMs: null,
    gap: "deadline",
  });
});

test("an answer is as large as the limit says, and no larger: parts beyond it are left out with the reason", async (t) => {
  const ring = new Ring(t, { segmentBytes: 8_000_000 });
  const attributes = Object.fromEntries(
    Array.from({ length: 14 }, (_, i) => [`a${i}`, "x".repeat(16_000 + i)]),
  );
  for (let i = 1; i <= 45; i++) ring.write("shop", [span(i, i, { attributes })]);
  const { parts, gap } = await ring.find(TRACE);
  assert.equal(gap, "too_large");
  const bytes = parts.reduce((sum, { frame }) => sum + frame.length, 0);
  assert.ok(bytes <= 8_388_608 && bytes > 8_000_000, String(bytes));
  const want = parseWant({ type: "want", id: 7, traceIds: [TRACE], deadlineMs: WITHIN_MS }) ?? assert.fail();
  const messages = await foundMessages(ring.recorder, want, "shown");
  assert.ok(messages.length > 1);
  for (const message of messages) {
    assert.ok(JSON.stringify(message).length < MAX_UPLINK_MESSAGE_BYTES);
    assert.deepEqual([message.type, message.id, message.gap], ["found", 7, "too_large"]);
  }
  assert.deepEqual(
    messages.map(({ hasMore }) => hasMore),
    [...messages.slice(1).map(() => true), false],
  );
  assert.equal(messages.flatMap((message) => message.parts).length, parts.length);
});

test("what nobody has is one message without parts", async (t) => {
  const want = { type: "want" as const, id: 1, traceIds: [TRACE], deadlineMs: WITHIN_MS };
  assert.deepEqual(await foundMessages(new Ring(t).recorder, want, "shown"), [
    { type: "found", id: 1, parts: [], hasMore: false, oldestUnixMs: null, gap: "" },
  ]);
});

test("a host without a collector shows a trace in the form of the collector's answer", async (t) => {
  const ring = new Ring(t);
  const where = { host: "web-1", clock: { unixMs: () => START_MS + 5_000 } };
  const missing = await localTrace(ring.recorder, where, TRACE);
  assert.equal(missing.status, 404);
  assert.deepEqual(missing.body.hosts[0]?.state, "nothing");
  ring.write("shop", [span(1, 2, { attributes: { "db.system.name": "postgresql" } }), span(1, 1)]);
  const found = await localTrace(ring.recorder, where, TRACE);
  assert.ok(found.status === 200);
  assert.deepEqual(
    found.body.spans.map(({ name, category, parentSpanId, host, app }) => [
      name,
      category,
      parentSpanId,
      host,
      app,
    ]),
    [
      ["span 1", "web", null, "web-1", "shop"],
      ["span 2", "database", spanId(1), "web-1", "shop"],
    ],
  );
  assert.deepEqual(found.body.hosts, [
    {
      host: "web-1",
      state: "found",
      spans: 2,
      oldestUnixMs: START_MS + 1_000,
      lastSeenUnixMs: START_MS + 5_000,
      gap: "",
    },
  ]);
});
