import assert from "node:assert/strict";
import { test } from "node:test";
import { FreeDisk } from "./free-disk.ts";

/** A disk of 1,000 bytes, of which a twentieth is to be left free, and what can be given of it. */
function diskWith(freeBytes: number, ...gifts: number[][]): { disk: FreeDisk; given: string[] } {
  const given: string[] = [];
  const givers = gifts.map((left, i) => ({
    giveOldest: () => {
      const bytes = left.shift() ?? 0;
      if (bytes > 0) given.push(`${i}:${bytes}`);
      return bytes;
    },
  }));
  const measure = (): { freeBytes: number; totalBytes: number } => ({ freeBytes, totalBytes: 1_000 });
  return { disk: new FreeDisk({ dir: "/", minFreeBytes: 500, givers, measure }), given };
}

test("nothing is given while enough is free, exactly the minimum included", () => {
  const { disk, given } = diskWith(50, [10], [10]);
  disk.keep();
  assert.deepEqual([given, disk.lowBytes, disk.minBytes], [[], null, 50]);
});

test("only so much is given as is missing, the first giver's before the second's", () => {
  const { disk, given } = diskWith(20, [10, 10], [10, 10]);
  disk.keep();
  assert.deepEqual([given, disk.lowBytes], [["0:10", "0:10", "1:10"], null]);
});

test("when all is given and it does not suffice, it says what is free", () => {
  const { disk, given } = diskWith(20, [10], [5]);
  disk.keep();
  assert.deepEqual([given, disk.lowBytes], [["0:10", "1:5"], 35]);
});

test("a file system that does not tell is left alone", () => {
  const disk = new FreeDisk({ dir: "/no/such/folder", minFreeBytes: 1e18, givers: [] });
  disk.keep();
  assert.equal(disk.lowBytes, null);
});
