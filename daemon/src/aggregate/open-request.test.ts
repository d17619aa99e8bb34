import assert from "node:assert/strict";
import { test } from "node:test";
import type { OperationCategory } from "@apm-daemon/protocol";
import * as fc from "fast-check";
import { OpenRequest } from "./open-request.ts";
import type { Operation } from "./operation.ts";

function operation(category: OperationCategory, name = "x", repeatKey = name): Operation {
  return { category, system: "", target: "", operation: name, statement: "", fingerprint: "", repeatKey };
}

const call = fc.record({
  category: fc.constantFrom<OperationCategory>("database", "cache", "external"),
  startUs: fc.integer({ min: 0, max: 120 }),
  durationUs: fc.integer({ min: 0, max: 60 }),
});

test("each instant of the root belongs to the first of database, cache, external that runs, else to code", () => {
  const root = fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 80 }));
  fc.assert(
    fc.property(fc.array(call, { maxLength: 20 }), root, (calls, [startUs, durationUs]) => {
      const request = new OpenRequest("shop", 0);
      for (const { category, startUs: from, durationUs: length } of calls)
        request.addCall(operation(category), from + length, length, false, 1);
      const expected = { databaseUs: 0, cacheUs: 0, externalUs: 0, codeUs: 0 };
      for (let instant = startUs; instant < startUs + durationUs; instant++) {
        const running = (category: OperationCategory): boolean =>
          calls.some(
            (one) =>
              one.category === category && one.startUs <= instant && instant < one.startUs + one.durationUs,
          );
        if (running("database")) expected.databaseUs++;
        else if (running("cache")) expected.cacheUs++;
        else if (running("external")) expected.externalUs++;
        else expected.codeUs++;
      }
      assert.deepEqual(request.split(startUs + durationUs, durationUs), expected);
    }),
    { numRuns: 2_000 },
  );
});

test("the parts add up and none is negative, also for real times and so many calls that they are folded", () => {
  const nowUs = 1_790_000_000_000_000;
  const request = new OpenRequest("shop", 0);
  const categories = ["database", "cache", "external"] as const;
  let endUs = nowUs;
  for (let i = 0; i < 60_000; i++) {
    endUs += 1.3;
    request.addCall(operation(categories[(i * 7) % 3] ?? "cache"), endUs, 0.7 + (i % 5), false, 1);
  }
  for (const durationUs of [0, 0.1, 1_000.3, 78_000, 10_000_000]) {
    const { databaseUs, cacheUs, externalUs, codeUs } = request.split(endUs, durationUs);
    for (const part of [databaseUs, cacheUs, externalUs, codeUs]) assert.ok(part >= 0, `${part}`);
    assert.ok(Math.abs(databaseUs + cacheUs + externalUs + codeUs - durationUs) < 1e-6);
  }
});

test("database calls too dense to be kept apart do not exceed the whole when caches fill their gaps", () => {
  const request = new OpenRequest("shop", 0);
  for (let i = 0; i < 30_000; i++) {
    request.addCall(operation("database"), 2 * i + 1, 1, false, 1);
    request.addCall(operation("cache"), 2 * i + 2, 1, false, 1);
  }
  const { databaseUs, cacheUs, externalUs, codeUs } = request.split(60_000, 100);
  assert.equal(databaseUs + cacheUs + externalUs + codeUs, 100);
  assert.equal(externalUs, 0);
  assert.equal(codeUs, 0);
});

test("calls beyond what is kept singly are folded, none lost", () => {
  const request = new OpenRequest("shop", 0);
  const [first, second] = [operation("database", "a"), operation("database", "b")];
  for (let i = 0; i < 5_500; i++) request.addCall(i % 2 === 0 ? first : second, i, 2, i % 10 === 0, 1);
  assert.ok(request.calls.length <= 1_000);
  for (const one of [first, second]) {
    const singles = request.calls.filter((kept) => kept.operation === one);
    const folded = request.foldedCalls.get(one);
    assert.equal(singles.length + (folded?.count ?? 0), 2_750);
    assert.equal(
      singles.reduce((sum, { durationUs }) => sum + durationUs, folded?.sumUs ?? 0),
      5_500,
    );
  }
  const errors = [...request.foldedCalls.values()].reduce((sum, counter) => sum + counter.errors, 0);
  assert.equal(errors + request.calls.filter(({ isError }) => isError).length, 550);
});

test("a request in very many frames remembers the first of them", () => {
  const request = new OpenRequest("shop", 0);
  for (let position = 0; position < 10_000; position++) request.seenIn(position);
  assert.equal(request.positions[0], 0);
  assert.ok(request.positions.length <= 4_096);
  assert.equal(request.spans, 10_000);
});

/** A request that makes calls of one operation each below one parent, in turns. */
function requestWith(
  calls: number,
  operations: readonly Operation[],
  parents: readonly number[],
): OpenRequest {
  const request = new OpenRequest("shop", 0);
  for (let i = 0; i < calls; i++)
    for (const one of operations) request.addCall(one, i, 1, false, parents[i % parents.length] ?? 0);
  return request;
}

test("the eleventh alike call below one span is a repeat, whatever comes between", () => {
  const both = [operation("database", "a"), operation("cache", "b")];
  assert.equal(requestWith(10, both, [7]).hasRepeat(), false);
  assert.equal(requestWith(11, both, [7]).hasRepeat(), true);
  // Ids are of 32 bits, without a sign.
  assert.equal(requestWith(20, both, [7, 0xffff_fff9]).hasRepeat(), false);
  assert.equal(requestWith(21, both, [7, 0xffff_fff9]).hasRepeat(), true);
});

test("calls that no single one could replace are no repeat", () => {
  assert.equal(requestWith(50, [operation("external", "GET", "")], [7]).hasRepeat(), false);
});

test("a repeat is still known when calls were folded", () => {
  const request = requestWith(11, [operation("database", "a")], [7]);
  for (let i = 0; i < 2_000; i++) request.addCall(operation("external", "GET", ""), i, 1, false, 7);
  assert.ok(!request.calls.some(({ operation: { operation: name } }) => name === "a"));
  assert.equal(request.hasRepeat(), true);
});
