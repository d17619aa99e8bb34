import assert from "node:assert/strict";
import { test } from "node:test";
import { FleetSpread } from "./fleet-spread.ts";

test("few daemons may come back at once, a thousand take half a minute, more take no longer", () => {
  const told = [1, 16, 17, 34, 100, 540, 1_000, 50_000].map((uplinks) => {
    const spread = new FleetSpread();
    spread.update(uplinks);
    return spread.ms;
  });
  assert.deepEqual(told, [500, 500, 1_000, 2_000, 4_000, 30_000, 30_000, 30_000]);
});

test("all are told when the fleet grows by a step, and when it has shrunk to a quarter", () => {
  const spread = new FleetSpread();
  const growth = Array.from({ length: 1_000 }, (_, i) => spread.update(i + 1));
  assert.equal(growth.filter(Boolean).length, 6);
  assert.equal(spread.ms, 30_000);
  const told: number[] = [];
  for (let uplinks = 999; uplinks >= 0; uplinks--) if (spread.update(uplinks)) told.push(uplinks);
  assert.deepEqual([told.length, spread.ms], [3, 500]);
});
