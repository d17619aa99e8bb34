import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BatchIndex } from "./batch-index.ts";

const stream = "a";

test("remembers batches in any order, like a set does", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 80 }), (numbers) => {
      const index = new BatchIndex();
      const model = new Set<number>();
      for (const number of numbers) {
        index.add({ stream, number });
        model.add(number);
      }
      for (let number = 0; number <= 61; number++)
        assert.equal(index.has({ stream, number }), model.has(number), String(number));
      assert.equal(index.last(stream), Math.max(0, ...model));
    }),
  );
});

test("joins ranges of several files, overlapping ones too", () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), (ranges) => {
      const index = new BatchIndex(ranges.map(([first, more]) => ({ stream, first, last: first + more })));
      for (let number = 0; number <= 60; number++) {
        const expected = ranges.some(([first, more]) => first <= number && number <= first + more);
        assert.equal(index.has({ stream, number }), expected, String(number));
      }
    }),
  );
});

test("keeps streams apart", () => {
  const index = new BatchIndex([{ stream, first: 1, last: 9 }]);
  assert.equal(index.has({ stream: "b", number: 5 }), false);
  assert.equal(index.last("b"), 0);
});
