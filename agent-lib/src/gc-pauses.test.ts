import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { GcPauses } from "./gc-pauses.ts";

const SMALL = 10_000_000;
const LARGE = 100_000_000;
const IDLE = 0.1;
const BUSY = 0.6;

/** Makes enough garbage for some collections, and lets Node tell of them. */
async function collect(): Promise<void> {
  let kept: unknown[] = [];
  for (let i = 0; i < 300_000; i++) kept = [i, kept.length];
  await turn();
  await turn();
  await turn();
}

/** What so many seconds tell, without waiting for them; the garbage collector runs in each. */
async function seconds(
  pauses: GcPauses,
  count: number,
  heapBytes: number,
  ratio: number,
): Promise<(number | null)[]> {
  const told: (number | null)[] = [];
  for (let i = 0; i < count; i++) {
    await collect();
    told.push(pauses.second(heapBytes, ratio));
  }
  return told;
}

test("of a small heap and an idle loop one second of ten is watched; the others are unknown", async () => {
  const pauses = new GcPauses();
  const told = await seconds(pauses, 21, SMALL, IDLE);
  pauses.stop();
  assert.ok((told[0] ?? 0) > 0);
  told.forEach((ms, i) => {
    const rest = told.slice(i + 1, i + 10);
    const sayWhat = `second ${i} of ${JSON.stringify(told)}`;
    // A busy machine makes pauses long; after a second of long ones the next is watched, too.
    if (ms !== null && rest.length > 0) assert.equal(rest[0] !== null, ms >= 20, sayWhat);
    if (ms === null && rest.length === 9)
      assert.ok(
        rest.some((next) => next !== null),
        sayWhat,
      );
  });
});

test("a large heap and a busy loop are watched all the time", async () => {
  for (const [heapBytes, ratio] of [
    [LARGE, IDLE],
    [SMALL, BUSY],
  ] as const) {
    const pauses = new GcPauses();
    const told = await seconds(pauses, 12, heapBytes, ratio);
    pauses.stop();
    assert.ok(
      told.every((ms) => ms !== null && ms > 0),
      JSON.stringify(told),
    );
  }
});

test("nothing is known after the end", async () => {
  const pauses = new GcPauses();
  pauses.stop();
  assert.deepEqual(await seconds(pauses, 1, SMALL, IDLE), [null]);
});
