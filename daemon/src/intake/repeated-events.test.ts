import assert from "node:assert/strict";
import { test } from "node:test";
import { LoggedLines } from "../testing/logged-lines.ts";
import { RepeatedEvents } from "./repeated-events.ts";

test("of a flood one line is told at once, the count at the end of 10 s, each kind for itself", () => {
  const { log, sentences } = new LoggedLines();
  let now = 0;
  const events = new RepeatedEvents(log, () => now);
  for (let i = 0; i < 1_000; i++) events.note("info", "connected", { i }, "an app connected");
  events.note("warn", "refused", {}, "refused a connection");
  assert.deepEqual(sentences, ["an app connected", "refused a connection"]);
  now = 9_999;
  events.tick();
  assert.equal(sentences.length, 2);
  now = 10_000;
  events.tick();
  assert.deepEqual(sentences.slice(2), ["an app connected (999 times in 10 s)"]);
  events.note("info", "connected", {}, "an app connected");
  assert.equal(sentences.at(-1), "an app connected");
});

test("nothing is kept to itself: a count that waits is told before the next line, and at the stop", () => {
  const { log, sentences } = new LoggedLines();
  let now = 0;
  const events = new RepeatedEvents(log, () => now);
  const note = (): void => events.note("info", "ended", {}, "an app ended");
  note();
  note();
  now = 20_000;
  note();
  assert.deepEqual(sentences, ["an app ended", "an app ended", "an app ended"]);
  for (let i = 0; i < 3; i++) note();
  events.finish();
  assert.equal(sentences.at(-1), "an app ended (3 times in 10 s)");
});
