import assert from "node:assert/strict";
import { test } from "node:test";
import { RepeatedLines } from "./repeated-lines.ts";

const WARN = 40;

test("20 lines that begin alike are written in 10 s, the last says so, and the next one how many were not", () => {
  let monoMs = 0;
  const lines = new RepeatedLines(() => monoMs);
  const taken = Array.from({ length: 50 }, (_, i) =>
    lines.take(WARN, `closed an agent connection: reason ${i}`),
  );
  assert.equal(taken.filter((line) => line !== null).length, 20);
  assert.deepEqual(taken[18], { leftOut: 0, isLast: false });
  assert.deepEqual(taken[19], { leftOut: 0, isLast: true });
  assert.equal(taken[20], null);
  monoMs = 9_999;
  assert.equal(lines.take(WARN, "closed an agent connection: again"), null);
  monoMs = 10_000;
  assert.deepEqual(lines.take(WARN, "closed an agent connection: again"), { leftOut: 31, isLast: false });
  assert.deepEqual(lines.take(WARN, "closed an agent connection: again"), { leftOut: 0, isLast: false });
});

test("one kind does not silence another, nor one level another", () => {
  const lines = new RepeatedLines(() => 0);
  for (let i = 0; i < 30; i++) lines.take(WARN, "an app connected");
  assert.equal(lines.take(WARN, "an app connected"), null);
  assert.ok(lines.take(50, "an app connected"));
  assert.ok(lines.take(WARN, "an app's process ended"));
});

test("kinds without end share one bound", () => {
  const lines = new RepeatedLines(() => 0);
  const taken = Array.from({ length: 2_000 }, (_, i) => lines.take(WARN, `${i}`.padStart(24, "0")));
  assert.equal(taken.filter((line) => line !== null).length, 520);
});
