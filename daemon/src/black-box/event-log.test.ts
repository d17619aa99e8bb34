import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppEvent, MAX_APP_EVENT_BYTES, MAX_EVENTS_PER_BATCH } from "@apm-daemon/protocol";
import { sampleEvent } from "../testing/sample-event.ts";
import { EventLog, type PendingEvent } from "./event-log.ts";
import { fitEvent } from "./fit-event.ts";

const STREAM = "s";
const ids = (events: readonly AppEvent[]): string[] => events.map(({ id }) => id);

function logWith(count: number): EventLog {
  const log = new EventLog([], [], { stream: STREAM, nextNumber: 5 });
  for (let i = 0; i < count; i++) log.add(sampleEvent({ id: String(i) }));
  return log;
}

/** What the next daemon makes of the file that this one left; its cursor tells how far the stream came. */
function after(pending: readonly PendingEvent[], nextNumber: number, stream = STREAM): string[] {
  const kept = JSON.parse(JSON.stringify(pending)) as PendingEvent[];
  const next = new EventLog(kept, [], { stream, nextNumber });
  return ids(next.take(stream, nextNumber));
}

test("a crash before the seal, or in the middle of it: the next daemon seals the event", () => {
  const log = logWith(1);
  assert.deepEqual(after(log.pending, 5), ["0"]);
  log.take(STREAM, 5);
  assert.deepEqual(after(log.pending, 5), ["0"]);
});

test("a crash after the seal's last batch was written, and before the event was let go: it is not sealed again", () => {
  const log = logWith(1);
  log.take(STREAM, 5);
  assert.deepEqual(after(log.pending, 6), []);
  assert.deepEqual(after(log.pending, 9), []);
});

test("of another stream nobody knows what was sealed: the event comes again, under its id", () => {
  const log = logWith(1);
  log.take(STREAM, 5);
  assert.deepEqual(after(log.pending, 9, "another"), ["0"]);
});

test("what comes while a seal is under way belongs to the next one", () => {
  const log = logWith(1);
  assert.deepEqual(ids(log.take(STREAM, 5)), ["0"]);
  log.add(sampleEvent({ id: "late" }));
  assert.equal(log.sealed(), true);
  assert.deepEqual(ids(log.take(STREAM, 6)), ["late"]);
  assert.equal(log.sealed(), true);
  assert.equal(log.sealed(), false);
});

test("a batch takes so many, the rest follows in order", () => {
  const log = logWith(MAX_EVENTS_PER_BATCH + 1);
  assert.equal(log.take(STREAM, 5).length, MAX_EVENTS_PER_BATCH);
  log.sealed();
  assert.deepEqual(ids(log.take(STREAM, 6)), [String(MAX_EVENTS_PER_BATCH)]);
});

test("in a storm the oldest go, counted; the newest are shown first", () => {
  const log = logWith(500);
  assert.equal(log.dropped, 0);
  log.add(sampleEvent({ id: "one too many", pid: 77 }));
  assert.equal(log.dropped, 1);
  assert.deepEqual(ids(log.take(STREAM, 5)).slice(0, 1), ["1"]);
  assert.equal(log.recent.length, 10);
  assert.equal(log.recent[0]?.pid, 77);
});

test("a report keeps its bound: the oldest calls go first, the newest stay", () => {
  const call = {
    ...sampleEvent().lastCalls[0],
    statement: "é".repeat(2_000),
  } as AppEvent["lastCalls"][number];
  const calls = Array.from({ length: 40 }, (_, i) => ({ ...call, endUnixMs: 100 - i }));
  const error = { type: "E", message: "m", stack: "s".repeat(8_192) };
  const fitted = fitEvent(sampleEvent({ lastCalls: calls, error }));
  assert.ok(Buffer.byteLength(JSON.stringify(fitted)) <= MAX_APP_EVENT_BYTES);
  assert.equal(fitted.lastCalls[0]?.endUnixMs, 100);
  assert.ok(fitted.lastCalls.length > 5 && fitted.lastCalls.length < 40);
  assert.equal(fitted.error?.stack.length, 8_192);
  assert.ok(fitEvent(sampleEvent({ error: { ...error, stack: "s".repeat(70_000) } })).error?.stack === "");
});
