import assert from "node:assert/strict";
import { test } from "node:test";
import type { MapEdge, MapNode } from "../../data/answers.ts";
import { groupedMap } from "./map-groups.ts";
import { mapLayout } from "./map-layout.ts";

const joined = (...pairs: string[]): { from: string; to: string }[] =>
  pairs.map((pair) => ({ from: pair[0] ?? "", to: pair[1] ?? "" }));

test("who is called stands right of all its callers", () => {
  const { places } = mapLayout(["d", "c", "b", "a"], joined("ab", "bc", "ac", "cd"));
  assert.deepEqual(
    ["a", "b", "c", "d"].map((id) => places.get(id)?.column),
    [0, 1, 2, 3],
  );
});

test("circles and calls to oneself end, and each node has one place", () => {
  const { places } = mapLayout(["a", "b", "c", "x"], joined("aa", "ab", "bc", "ca", "cb"));
  assert.equal(new Set([...places.values()].map(({ column, row }) => `${column} ${row}`)).size, 4);
  assert.deepEqual(
    ["a", "b", "c"].map((id) => places.get(id)?.column),
    [0, 1, 2],
  );
});

test("lines do not cross where they need not", () => {
  const { places } = mapLayout(["a", "b", "y", "x"], joined("ax", "by"));
  const row = (id: string): number => places.get(id)?.row ?? -1;
  assert.equal(Math.sign(row("a") - row("b")), Math.sign(row("x") - row("y")));
});

test("a line that passes a column has a lane there, which is no node's place; lines to one node share it", () => {
  const edges = joined("ab", "bc", "ac", "xb", "xc");
  const { places, lanesOf } = mapLayout(["a", "x", "b", "c"], edges);
  const [short, , long, , other] = edges;
  if (!short || !long || !other) throw new Error("there are five edges");
  assert.deepEqual(lanesOf(short), []);
  const [lane, ...more] = lanesOf(long);
  assert.deepEqual([lane?.column, more], [1, []]);
  assert.deepEqual(lanesOf(other), [lane]);
  assert.notEqual(lane?.row, places.get("b")?.row);
});

function node(id: string, kind: MapNode["kind"]): MapNode {
  const none = { callsPerMinute: 0, avgMs: null, errorRate: null, apdex: null };
  return { id, kind, app: "", system: "", target: "", ...none };
}

function edge(from: string, to: string, calls: number): MapEdge {
  const rates = { callsPerMinute: calls, avgMs: 2, errorRate: 0 };
  return { from, to, calls, errors: 1, totalTimeMs: calls * 2, ...rates, targets: [] };
}

test("too many nodes: those with least time become one of their kind, and no call is lost", () => {
  const databases = Array.from({ length: 10 }, (_, i) => node(`d${i}`, "database"));
  const edges = databases.map(({ id }, i) => edge("a", id, i + 1));
  const { nodes, edges: drawn } = groupedMap([node("a", "app"), ...databases], edges, 8);
  assert.deepEqual(
    nodes.map(({ id, members }) => [id, members]),
    [
      ["a", 1],
      ["d9", 1],
      ["d8", 1],
      ["d7", 1],
      ["others database", 7],
    ],
  );
  assert.equal(nodes.at(-1)?.callsPerMinute, 28);
  assert.deepEqual(
    drawn
      .map(({ to, calls, errors, avgMs, errorRate }) => [to, calls, errors, avgMs, errorRate])
      .toSorted(([a], [b]) => String(a).localeCompare(String(b))),
    [
      ["d7", 8, 1, 2, 1 / 8],
      ["d8", 9, 1, 2, 1 / 9],
      ["d9", 10, 1, 2, 1 / 10],
      ["others database", 28, 7, 2, 7 / 28],
    ].map(([to, calls, errors, avgMs, errorRate]) => [to, calls, errors, avgMs, errorRate]),
  );
  assert.equal(groupedMap([node("a", "app"), ...databases], edges, 11).nodes.length, 11);
});
