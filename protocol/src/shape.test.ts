import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_ATTRIBUTES_PER_SPAN } from "./limits.ts";
import {
  type AttributeValue,
  MAX_SHAPES,
  type Shape,
  ShapeTree,
  type SlotType,
  slotTypeOf,
} from "./shape.ts";

test("spans that set the same keys in the same order share one shape", () => {
  const root = new ShapeTree().root("http", 1);
  const first = root.follow("http.route", 0)?.follow("http.response.status_code", 1);
  const second = root.follow("http.route", 0)?.follow("http.response.status_code", 1);
  assert.ok(first);
  assert.equal(first, second);
  assert.deepEqual(
    [first.keys, first.types],
    [
      ["http.route", "http.response.status_code"],
      [0, 1],
    ],
  );
  assert.notEqual(root.follow("http.response.status_code", 1)?.follow("http.route", 0), first);
});

test("another type of the same key is another shape, and neither is forgotten for the other", () => {
  const root = new ShapeTree().root("http", 1);
  const text = root.follow("k", 0);
  const number = root.follow("k", 1);
  assert.notEqual(text, number);
  assert.equal(root.follow("k", 0), text);
  assert.equal(root.follow("k", 1), number);
});

test("scopes and kinds have roots of their own, prototype keys are keys like others", () => {
  const tree = new ShapeTree();
  assert.equal(tree.root("pg", 2), tree.root("pg", 2));
  assert.notEqual(tree.root("pg", 2), tree.root("pg", 3));
  assert.notEqual(tree.root("pg", 2), tree.root("mysql", 2));
  const proto = tree.root("pg", 2).follow("__proto__", 0);
  assert.deepEqual(proto?.keys, ["__proto__"]);
});

test("there are at most MAX_SHAPES shapes; those that exist can still be followed", () => {
  const root = new ShapeTree().root("http", 1);
  for (let i = 0; i < MAX_SHAPES; i++) assert.ok(root.follow(`user.${i}`, 0), `shape ${i}`);
  assert.equal(root.follow("one.more", 0), null);
  assert.deepEqual(root.follow("user.7", 0)?.keys, ["user.7"]);
});

test("a shape has at most as many attributes as a span may have", () => {
  let shape: Shape | null = new ShapeTree().root("http", 1);
  for (let i = 0; i < MAX_ATTRIBUTES_PER_SPAN; i++) shape = shape?.follow(`k${i}`, 0) ?? null;
  assert.equal(shape?.keys.length, MAX_ATTRIBUTES_PER_SPAN);
  assert.equal(shape.follow("one.more", 0), null);
});

test("values have the type that keeps them exactly", () => {
  const types: [AttributeValue, SlotType][] = [
    ["", 0],
    ["1", 0],
    [0, 1],
    [-1, 1],
    [2 ** 31 - 1, 1],
    [-(2 ** 31), 1],
    [2 ** 31, 2],
    [-(2 ** 31) - 1, 2],
    [-0, 2],
    [0.5, 2],
    [Number.NaN, 2],
    [Number.POSITIVE_INFINITY, 2],
    [true, 3],
    [false, 3],
    [[], 4],
    [["a", 1, null], 4],
  ];
  for (const [value, type] of types) assert.equal(slotTypeOf(value), type, String(value));
});
