import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { MongodbStatements } from "./mongodb-statements.ts";
import { UNREADABLE_STATEMENT } from "./obfuscate.ts";

const statements = new MongodbStatements();
const textOf = (command: Record<string, unknown>): string => statements.of(command).text;

test("the shape of a filter is shown, its values are not", () => {
  assert.deepEqual(statements.of({ find: "users", filter: { age: { $gt: 7 }, name: null } }), {
    text: "find {filter: {age: {$gt: ?}, name: ?}}",
    operation: "find",
    table: "users",
  });
  assert.equal(
    textOf({ find: "users", filter: { $or: [{ a: 1 }, { a: 2 }, { b: [1, 2] }] } }),
    "find {filter: {$or: [{a: ?}, {b: [?]}]}}",
  );
  assert.equal(textOf({ find: "users", sort: new Map([["age", 1]]) }), "find {sort: {age: ?}}");
});

test("documents are data: to insert them or to replace others shows nothing of them", () => {
  assert.equal(textOf({ insert: "users", documents: [{ secret: 1 }] }), "insert");
  assert.equal(
    textOf({ update: "users", updates: [{ q: { a: 1 }, u: { secret: 1 } }] }),
    "update {updates: [{q: {a: ?}, u: ?}]}",
  );
  assert.equal(
    textOf({ findAndModify: "users", query: { a: 1 }, update: { $inc: { n: 1 } } }),
    "findAndModify {query: {a: ?}, update: {$inc: {n: ?}}}",
  );
});

test("names made of data are hidden", () => {
  for (const name of [
    "bob@x.org",
    "507f1f77bcf86cd799439011",
    "a b",
    "2026-11-25",
    "n20261125",
    "x".repeat(41),
  ])
    assert.equal(
      textOf({ find: "t", filter: { [name]: 1, [`by.${name}`]: 1 } }),
      "find {filter: {?: ?, ?: ?}}",
      name,
    );
  for (const name of ["a", "$gt", "address.line1", "items.0.sku", "_id", "größe", "isActive"])
    assert.equal(textOf({ find: "t", filter: { [name]: 1 } }), `find {filter: {${name}: ?}}`);
});

test("only commands that begin with a collection's name show it", () => {
  assert.equal(statements.of({ dropUser: "bob" }).table, "");
  assert.equal(statements.of({ getMore: 7n, collection: "users" }).table, "users");
  assert.deepEqual(statements.of({ "bob@x.org": 1 }), { text: "", operation: "", table: "" });
});

test("the walk has bounds, and what cannot be read fails closed", () => {
  let deep: Record<string, unknown> = { a: 1 };
  for (let i = 0; i < 1_000; i++) deep = { a: deep };
  assert.match(textOf({ find: "t", filter: deep }), /^find \{filter: (?:\{a: ){8}…\}+$/);
  const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${"x".repeat(i % 30)}`, i]));
  assert.ok(textOf({ find: "t", filter: { ...wide, $or: [wide, wide] } }).length < 4_000);
  const many = Array.from({ length: 100_000 }, (_, i) => ({ [`a${i % 100}`]: i }));
  assert.match(textOf({ find: "t", filter: { $or: many } }), /…\]\}\}$/);
  const throwing = Object.defineProperty({}, "a", {
    enumerable: true,
    get: () => {
      throw new Error("no");
    },
  });
  assert.equal(statements.of({ find: "t", filter: throwing }), UNREADABLE_STATEMENT);
});

test("mode off has no text; mode raw has values, shortened", () => {
  const other = new MongodbStatements();
  other.mode = "off";
  assert.deepEqual(other.of({ find: "t", filter: { a: 1 } }), { text: "", operation: "find", table: "t" });
  other.mode = "raw";
  assert.equal(other.of({ find: "t", filter: { "a@b": 1, b: "x" } }).text, 'find {filter: {a@b: 1, b: "x"}}');
  assert.ok(other.of({ find: "t", filter: { b: "x".repeat(1_000) } }).text.length < 100);
});

/** Anything that an app may look for, made of strings and numbers that are told from all names. */
const CANARY = /CANARY|1973/;
const scalar = fc.constantFrom<unknown>(
  "CANARY",
  "it's CANARY",
  1973,
  -1973.5,
  1973n,
  new Date(1973),
  /CANARY/,
  true,
  null,
);
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("a", "$in", "b.c", "CANARY@x", "n1973", "CANARY 7"), tie("value"), {
      maxKeys: 4,
    }),
    fc.constant(Buffer.from("CANARY")),
    fc.constant(
      new (class ObjectId {
        readonly _bsontype = "ObjectId";
        readonly id = "CANARY";
      })(),
    ),
  ),
})).value;

test("no value ever shows", () => {
  fc.assert(
    fc.property(fc.constantFrom("find", "count", "update", "aggregate", "dropUser"), value, (name, part) => {
      const command = {
        [name]: name === "dropUser" ? "CANARY" : "users",
        filter: part,
        query: part,
        pipeline: [part],
        documents: [part],
        updates: [{ q: part, u: part }],
      };
      assert.doesNotMatch(JSON.stringify(statements.of(command)), CANARY);
    }),
    { numRuns: 2_000 },
  );
});
