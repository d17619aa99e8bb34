import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_WATCH_MS, parseWatch } from "./live.ts";

test("a watch lasts as long as it says, a minute at most", () => {
  assert.deepEqual(parseWatch({ type: "watch", forMs: 30_000, colour: "red" }), {
    type: "watch",
    forMs: 30_000,
  });
  assert.deepEqual(parseWatch({ type: "watch", forMs: MAX_WATCH_MS + 1 }), {
    type: "watch",
    forMs: MAX_WATCH_MS,
  });
  assert.deepEqual(parseWatch({ type: "watch", forMs: 0 }), { type: "watch", forMs: 0 });
});

test("what is no watch is none", () => {
  for (const message of [
    null,
    "watch",
    {},
    { type: "want", forMs: 1 },
    { type: "watch" },
    { type: "watch", forMs: -1 },
    { type: "watch", forMs: "long" },
    { type: "watch", forMs: Number.NaN },
  ])
    assert.equal(parseWatch(message), null, JSON.stringify(message));
});
