import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallGroup, CallSeriesAnswer, Column } from "../../data/answers.ts";
import { layersOf } from "./call-layers.ts";
import { groupNames } from "./call-name.ts";

function statistics(calls: Column): Pick<CallGroup, "calls" | "errors" | "totalTimeMs" | "cols"> & {
  callsPerMinute: null;
  durationMs: null;
} {
  const none = calls.map(() => null);
  return {
    calls: calls.reduce<number>((sum, value) => sum + (value ?? 0), 0),
    errors: 0,
    totalTimeMs: 0,
    callsPerMinute: null,
    durationMs: null,
    cols: { calls, errors: none, totalTimeMs: none, avgMs: none, p95Ms: none },
  };
}

function group(changes: Partial<CallGroup>, calls: Column = [1, null]): CallGroup {
  return {
    system: "postgresql",
    target: "db:5432",
    operation: "",
    statement: "",
    statementText: null,
    share: null,
    actions: [],
    ...statistics(calls),
    ...changes,
  };
}

function answer(groups: CallGroup[], all: Column, leftOut = 0): CallSeriesAnswer {
  return { from: 0, to: 20_000, t0: 0, stepMs: 10_000, all: statistics(all), groups, leftOut };
}

test("what the shown groups leave of all calls is the last layer; unknown stays unknown", () => {
  const groups = Array.from({ length: 7 }, (_, i) => group({ target: `db-${i}` }, [i, null]));
  const layers = layersOf(answer(groups, [30, null], 1), "calls", "others");
  assert.deepEqual(
    layers.map(({ values, total }) => [values, total]),
    [...[0, 1, 2, 3, 4].map((calls) => [[calls, null], calls]), [[20, null], 20]],
  );
  assert.equal(layers.at(-1)?.label, "others");
  assert.equal(new Set(layers.map(({ color }) => color)).size, 6);
});

test("without a rest there is no such layer", () => {
  assert.equal(layersOf(answer([group({})], [1, null]), "calls", "others").length, 1);
});

test("alike names are told apart, others stay short", () => {
  const names = groupNames([
    group({ operation: "SELECT a", statement: "1234567890abcdef" }),
    group({ operation: "SELECT a", statement: "abcdef1234567890" }),
    group({ operation: "SELECT b", statement: "abcdef1234567890" }),
    group({ operation: "", target: "" }),
  ]);
  assert.deepEqual(names, ["SELECT a · 1234", "SELECT a · abcd", "SELECT b", "postgresql"]);
});
