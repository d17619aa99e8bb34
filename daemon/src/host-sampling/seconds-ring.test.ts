import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { SecondsRing } from "./seconds-ring.ts";

test("drain answers the seconds since the last drain, column by column", () => {
  const ring = new SecondsRing(["a", "b"], 10);
  ring.push(100, { a: 1, b: 2 });
  ring.push(103, { a: null, b: 0 });
  assert.deepEqual(ring.drain(), { tsSec: [100, 103], columns: { a: [1, null], b: [2, 0] } });
  assert.deepEqual(ring.drain(), { tsSec: [], columns: { a: [], b: [] } });
  ring.push(104, { b: 5, unknown: 7 });
  assert.deepEqual(ring.drain(), { tsSec: [104], columns: { a: [null], b: [5] } });
});

test("the newest second stays readable after a drain", () => {
  const ring = new SecondsRing(["a", "b"], 2);
  assert.deepEqual(ring.newest(), { a: null, b: null });
  for (const tsSec of [1, 2, 3]) ring.push(tsSec, { a: tsSec });
  ring.drain();
  assert.deepEqual(ring.newest(), { a: 3, b: null });
});

test("a full ring keeps the last seconds and counts what it overwrote", () => {
  const ring = new SecondsRing(["a"], 3);
  for (const tsSec of [1, 2, 3]) ring.push(tsSec, { a: tsSec });
  assert.equal(ring.overwrittenSeconds, 0);
  ring.push(4, { a: 4 });
  assert.equal(ring.overwrittenSeconds, 1);
  assert.deepEqual(ring.drain().tsSec, [2, 3, 4]);
});

test("a clock set back gives ascending seconds, the later measured of two with one name", () => {
  const ring = new SecondsRing(["a"], 10);
  for (const [tsSec, a] of [
    [100, 1],
    [101, 2],
    [99, 3],
    [100, 4],
  ] as const) {
    ring.push(tsSec, { a });
  }
  assert.deepEqual(ring.drain(), { tsSec: [99, 100, 101], columns: { a: [3, 4, 2] } });
});

test("with any mix of pushes and drains each second is drained once or counted as overwritten", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.boolean(), { maxLength: 60 }),
      (capacity, steps) => {
        const ring = new SecondsRing(["a"], capacity);
        const drained: number[] = [];
        let tsSec = 0;
        for (const isPush of steps) {
          if (isPush) ring.push(++tsSec, { a: tsSec * 10 });
          else drained.push(...ring.drain().tsSec);
        }
        drained.push(...ring.drain().tsSec);
        assert.equal(drained.length + ring.overwrittenSeconds, tsSec);
        assert.ok(drained.every((second, i) => i === 0 || second > (drained[i - 1] ?? 0)));
      },
    ),
  );
});

test("the last seconds can be read again and again, drained or not, and the next drain has all it would have had", () => {
  const ring = new SecondsRing(["a"], 3);
  for (let second = 1; second <= 4; second++) ring.push(second, { a: second * 10 });
  assert.deepEqual(ring.last(2), { tsSec: [3, 4], columns: { a: [30, 40] } });
  assert.deepEqual(ring.last(99), { tsSec: [2, 3, 4], columns: { a: [20, 30, 40] } });
  assert.deepEqual(ring.drain().tsSec, [2, 3, 4]);
  assert.deepEqual(ring.last(1), { tsSec: [4], columns: { a: [40] } });
  assert.deepEqual(ring.drain().tsSec, []);
  assert.deepEqual(new SecondsRing(["a"], 3).last(5).tsSec, []);
});

test("the seconds between two, both included, drained or not", () => {
  const ring = new SecondsRing(["a"], 4);
  for (let second = 1; second <= 6; second++) ring.push(second * 10, { a: second });
  ring.drain();
  assert.deepEqual(ring.between(40, 50), { tsSec: [40, 50], columns: { a: [4, 5] } });
  assert.deepEqual(ring.between(0, 35).tsSec, [30], "older ones have gone");
  assert.deepEqual(ring.between(51, 59).tsSec, []);
  assert.deepEqual(ring.drain().tsSec, []);
});

test("a ring that shrinks keeps the newest seconds and counts those it loses undrained; one that grows keeps all", () => {
  const ring = new SecondsRing(["a", "b"], 5);
  for (let second = 1; second <= 7; second++) ring.push(second, { a: second * 10 });
  ring.resize(3);
  assert.equal(ring.overwrittenSeconds, 4);
  assert.deepEqual(ring.last(9), { tsSec: [5, 6, 7], columns: { a: [50, 60, 70], b: [null, null, null] } });
  ring.resize(6);
  for (const second of [8, 9]) ring.push(second, { b: second });
  const drained = {
    tsSec: [5, 6, 7, 8, 9],
    columns: { a: [50, 60, 70, null, null], b: [null, null, null, 8, 9] },
  };
  assert.deepEqual(ring.drain(), drained);
  assert.equal(ring.overwrittenSeconds, 4);
});

test("single precision has seven digits, and no noise behind them", () => {
  const ring = new SecondsRing(["ratio", "bytes"], 2, "single");
  ring.push(1, { ratio: 0.1, bytes: 123_456_789_012 });
  const { ratio = 0, bytes = 0 } = ring.newest();
  assert.equal(ratio, 0.1);
  assert.ok(Math.abs((bytes ?? 0) / 123_456_789_012 - 1) < 1e-7);
});

test("seconds from one on stay for the next drain, and each is drained once", () => {
  const ring = new SecondsRing(["a"], 10);
  for (let second = 1; second <= 7; second++) ring.push(second, { a: second });
  assert.deepEqual(ring.drain(5).tsSec, [1, 2, 3, 4]);
  assert.equal(ring.newestTsSec, 7);
  assert.deepEqual(ring.drain(5).tsSec, []);
  assert.deepEqual(ring.drain().tsSec, [5, 6, 7]);
});
