import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bucketText,
  DEFAULT_RANGE,
  parseTime,
  presetOf,
  rangeText,
  refreshEveryMs,
  resolveRange,
  shiftRange,
  untilNextBucketMs,
  widenRange,
} from "./time-range.ts";

const NOW = Date.UTC(2026, 10, 23, 8, 30, 0);
const MINUTE = 60_000;

test("relative, ISO and millisecond times are understood", () => {
  assert.equal(parseTime("now", NOW), NOW);
  assert.equal(parseTime("now-30m", NOW), NOW - 30 * MINUTE);
  assert.equal(parseTime("now-2d", NOW), NOW - 2 * 86_400_000);
  assert.equal(parseTime("2026-11-23T08:00:00Z", NOW), NOW - 30 * MINUTE);
  assert.equal(parseTime(String(NOW), NOW), NOW);
});

test("what is not a time is null, never a wrong time", () => {
  for (const text of [
    "",
    "yesterday",
    "now-",
    "now-5",
    "now-5y",
    "now+5m",
    "12",
    "2026-13-40T99:00:00Z",
    "-1",
    "1e12",
  ]) {
    assert.equal(parseTime(text, NOW), null, text);
  }
});

test("a range needs its ends in order and at least one window", () => {
  assert.deepEqual(resolveRange(DEFAULT_RANGE, NOW), { fromMs: NOW - 30 * MINUTE, toMs: NOW });
  assert.deepEqual(resolveRange({ from: "now-10s", to: "now" }, NOW), { fromMs: NOW - 10_000, toMs: NOW });
  assert.equal(resolveRange({ from: "now-9s", to: "now" }, NOW), null);
  assert.equal(resolveRange({ from: "now", to: "now-1h" }, NOW), null);
  assert.equal(resolveRange({ from: "now-900d", to: "now" }, NOW), null);
  assert.equal(resolveRange({ from: "x", to: "now" }, NOW), null);
});

test("a bucket becomes its own windows, however short", () => {
  assert.deepEqual(bucketText({ fromMs: NOW, toMs: NOW + 10_000 }), {
    from: "2026-11-23T08:30:00Z",
    to: "2026-11-23T08:30:10Z",
  });
  assert.deepEqual(bucketText({ fromMs: NOW + 9000, toMs: NOW + 10_001 }), {
    from: "2026-11-23T08:30:00Z",
    to: "2026-11-23T08:30:20Z",
  });
});

test("a brushed range becomes whole windows", () => {
  assert.deepEqual(rangeText({ fromMs: NOW + 1234, toMs: NOW + 61_001 }), {
    from: "2026-11-23T08:30:00Z",
    to: "2026-11-23T08:31:10Z",
  });
  assert.deepEqual(rangeText({ fromMs: NOW, toMs: NOW + 1 }), {
    from: "2026-11-23T08:30:00Z",
    to: "2026-11-23T08:30:30Z",
  });
});

test("the next period never passes now and is relative again there", () => {
  const range = { fromMs: NOW - 30 * MINUTE, toMs: NOW };
  const before = shiftRange(range, -1, NOW);
  assert.deepEqual(before, { from: "2026-11-23T07:30:00Z", to: "2026-11-23T08:00:00Z" });
  const back = resolveRange(before, NOW);
  assert.ok(back);
  assert.deepEqual(shiftRange(back, 1, NOW), DEFAULT_RANGE);
});

test("going back and forth between periods keeps their length at any moment", () => {
  const oddNow = NOW + 3456;
  const range = resolveRange({ from: "now-1h", to: "now" }, oddNow);
  assert.ok(range);
  const before = resolveRange(shiftRange(range, -1, oddNow), oddNow);
  assert.ok(before);
  assert.equal(before.toMs - before.fromMs, 60 * MINUTE);
  const after = shiftRange({ fromMs: before.fromMs, toMs: before.toMs }, 1, oddNow);
  assert.equal(resolveRange(after, oddNow)?.fromMs, before.toMs);
});

test("zooming out doubles the range around its middle, up to now", () => {
  const past = { fromMs: NOW - 120 * MINUTE, toMs: NOW - 60 * MINUTE };
  assert.deepEqual(widenRange(past, NOW), { from: "2026-11-23T06:00:00Z", to: "2026-11-23T08:00:00Z" });
  assert.deepEqual(widenRange({ fromMs: NOW - 30 * MINUTE, toMs: NOW }, NOW), { from: "now-1h", to: "now" });
});

test("only a range of the presets' form has a preset", () => {
  assert.equal(presetOf({ from: "now-3h", to: "now" }), "3h");
  assert.equal(presetOf({ from: "now-3h", to: "now-1h" }), null);
  assert.equal(presetOf({ from: "2026-11-23T08:00:00Z", to: "now" }), null);
});

test("refreshing follows the buckets", () => {
  assert.equal(refreshEveryMs({ fromMs: NOW - 30 * MINUTE, toMs: NOW }), 10_000);
  assert.equal(refreshEveryMs({ fromMs: NOW - 3 * 60 * MINUTE, toMs: NOW }), 40_000);
  assert.equal(refreshEveryMs({ fromMs: NOW - 7 * 86_400_000, toMs: NOW }), 60_000);
  assert.equal(untilNextBucketMs(NOW + 4000, 10_000, 3000), 9000);
  assert.equal(untilNextBucketMs(NOW + 2000, 10_000, 3000), 1000);
});
