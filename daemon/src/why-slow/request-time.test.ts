import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameWriter, KIND, spanId, type TestSpan } from "../testing/frame-writer.ts";
import { extractTraces } from "../traces/trace-extractor.ts";
import { mostTime, type TimeUse } from "./request-time.ts";

const START_US = 1_790_000_000_000_000;
const ROOT = spanId(1);
const ROOT_US = 1_000_000;

function call(id: number, fromMs: number, toMs: number, attributes: TestSpan["attributes"]): TestSpan {
  return {
    root: ROOT,
    id: spanId(id),
    name: `call ${id}`,
    kind: KIND.client,
    endUnixUs: START_US + toMs * 1_000,
    durationUs: (toMs - fromMs) * 1_000,
    attributes: attributes ?? {},
  };
}

const root: TestSpan = {
  root: ROOT,
  id: ROOT,
  name: "GET /",
  kind: KIND.server,
  endUnixUs: START_US + ROOT_US,
  durationUs: ROOT_US,
};
const database = (host: string, text: string): TestSpan["attributes"] => ({
  "db.system.name": "postgresql",
  "db.query.text": text,
  "server.address": host,
});

function useOf(spans: readonly TestSpan[]): TimeUse | null {
  const payload = new FrameWriter().payload(spans);
  const archive = { readFrame: () => payload, endReading: () => undefined };
  const summary = { traceId: ROOT + ROOT, rootSpanId: ROOT };
  return extractTraces(archive, [{ summary, positions: [0] }])[0]?.use ?? null;
}

test("waits are unions of their intervals within the request, by category and by target", () => {
  const use = useOf([
    call(2, 100, 300, database("db-1", "SELECT a")),
    // Beside the one before: the union has 300 ms of db-1.
    call(3, 200, 400, database("db-1", "SELECT b")),
    call(4, 350, 450, database("db-2", "SELECT c")),
    call(5, 440, 500, { "db.system.name": "redis", "server.address": "cache" }),
    // Half of it after the end of the request.
    call(6, 900, 1_100, { "http.request.method": "GET", "server.address": "api" }),
    root,
  ]);
  assert.ok(use);
  const near = (a: number, b: number): boolean => Math.abs(a - b) < 0.001;
  assert.ok(near(use.code, 1 - 0.5));
  assert.ok(near(use.waiting.database, 0.35) && near(use.waiting.cache, 0.05), JSON.stringify(use));
  assert.ok(near(use.waiting.external, 0.1));
  assert.deepEqual(
    use.waits.map(({ category, target, ratio }) => `${category} ${target} ${ratio.toFixed(2)}`),
    ["database db-1 0.30", "database db-2 0.10", "external api 0.10", "cache cache 0.06"],
  );
  assert.match(use.waits[0]?.operation ?? "", /^[0-9a-f]{16}$/);
  assert.equal(use.waits[2]?.operation, "GET");
});

test("the part that took most is told with its longest target; a queue counts beside the request", () => {
  const waiting = { database: 0.5, cache: 0, external: 0.2 };
  const waits = [
    { category: "external", target: "api", operation: "", ratio: 0.4 },
    { category: "database", target: "db-1", operation: "", ratio: 0.3 },
  ] as const;
  const use = { code: 0.3, queue: 0, waiting, waits: [...waits] };
  assert.deepEqual(mostTime(use), { part: "database", ratio: 0.5, target: "db-1" });
  assert.deepEqual(mostTime({ ...use, queue: 0.9 }), { part: "queue", ratio: 0.9, target: "" });
});

test("without the request's own span nothing is known of its time", () => {
  assert.equal(useOf([call(2, 100, 300, database("db-1", "SELECT a"))]), null);
});
