import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { counterDelta, presentOrNull, ratePerSecond } from "./counter-rate.ts";

test("a rate is growth per second", () => {
  assert.equal(ratePerSecond(150, 100, 2), 25);
  assert.equal(ratePerSecond(100, 100, 1), 0);
});

test("without a value before, or elapsed time, there is no rate", () => {
  assert.equal(ratePerSecond(150, Number.NaN, 1), null);
  assert.equal(ratePerSecond(Number.NaN, 100, 1), null);
  assert.equal(ratePerSecond(150, 100, 0), null);
  assert.equal(ratePerSecond(150, 100, Number.NaN), null);
});

test("a reset, a wrap at 32 and at 64 bits, and a jump by a driver's fault give none", () => {
  assert.equal(counterDelta(5, 1_000), null);
  assert.equal(counterDelta(10, 2 ** 32 - 10), null);
  assert.equal(counterDelta(10, 2 ** 64 - 2048), null);
  assert.equal(counterDelta(2 ** 64 - 2048, 10), null);
  assert.equal(counterDelta(2 ** 48, 0), null);
  assert.equal(counterDelta(2 ** 48 - 1, 0), 2 ** 48 - 1);
});

test("a delta is never negative, whatever the counters", () => {
  fc.assert(
    fc.property(fc.double(), fc.double(), (now, before) => {
      const delta = counterDelta(now, before);
      assert.ok(delta === null || (delta >= 0 && delta < 2 ** 48));
    }),
  );
});

test("an absent gauge is null, zero is zero", () => {
  assert.equal(presentOrNull(Number.NaN), null);
  assert.equal(presentOrNull(0), 0);
});
