import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { test } from "node:test";
import { RunningCollector } from "../testing/running-collector.ts";
import { encoded, sampleHeader } from "../testing/sample-batch.ts";
import { type SampleSpan, spansFrame, traceSummary } from "../testing/sample-trace.ts";

const MEMORY_MB = 64;
const TRACES_PER_BATCH = 10;
/** Frames of 240 KB, which is about the largest that a daemon sends: 72 MB in all, no two of them alike. */
const SPANS = 30;
const BYTES_PER_SPAN = 4_000;
const BATCHES = 30;

interface Trace {
  spans: { name: string; attributes: Record<string, string> }[];
}

test("large traces, more of them than the store may have memory: all are taken, and come back whole", async (t) => {
  const collector = await RunningCollector.start({
    store: { memory_limit_mb: MEMORY_MB, min_free_disk_mb: 0, min_free_disk_ratio: 0 },
  });
  t.after(() => collector.end());
  const stream = randomUUID();
  const uplink = await collector.uplink(stream);
  const sent = new Map<string, string[]>();
  for (let number = 1; number <= BATCHES; number++) {
    const made = Array.from({ length: TRACES_PER_BATCH }, () => largeTrace());
    for (const { traceId, texts } of made) sent.set(traceId, texts);
    const traces = made.map(({ summary }) => summary);
    const frames = made.map(({ frame }) => frame);
    const answer = await uplink.deliver(encoded(sampleHeader({ stream, number, traces }), frames));
    assert.deepEqual(answer, { type: "ack", stream, number });
  }
  await uplink.close();
  for (const [traceId, texts] of [...sent].filter((_, i) => i % 100 === 7)) {
    const { body } = await collector.get<Trace>(`traces/${traceId}`);
    const found = new Map(body.spans.map(({ name, attributes }) => [name, attributes["text"]]));
    assert.deepEqual(
      texts.map((_, i) => found.get(`span ${i}`)),
      texts,
    );
  }
  assert.deepEqual(collector.complaints, []);
});

function largeTrace(): {
  traceId: string;
  texts: string[];
  frame: Buffer;
  summary: ReturnType<typeof traceSummary>;
} {
  const traceId = randomBytes(16).toString("hex");
  const texts = Array.from({ length: SPANS }, () => randomBytes(BYTES_PER_SPAN).toString("hex"));
  const spanId = (i: number): string => (i + 1).toString(16).padStart(16, "0");
  const spans = texts.map(
    (text, i): SampleSpan => ({
      spanId: spanId(i),
      parentSpanId: i === 0 ? "" : spanId(0),
      name: `span ${i}`,
      kind: 1,
      startMs: 100,
      durationMs: 10,
      attributes: { text },
    }),
  );
  const [root] = spans;
  if (root === undefined) throw new Error("a trace needs a span");
  return {
    traceId,
    texts,
    frame: spansFrame(traceId, spans),
    summary: traceSummary(traceId, root, { spans: SPANS }),
  };
}
