import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { CommandStatements } from "./command-statements.ts";

test("only the name is recorded, and in mode raw keys and values, shortened", () => {
  const statements = new CommandStatements();
  assert.deepEqual(statements.of("set", ["key", "value"]), { text: "", operation: "SET", table: "" });
  assert.equal(statements.of("set", []), statements.of("set", ["other"]), "one object for all calls");
  statements.mode = "raw";
  assert.equal(statements.of("set", ["key", Buffer.from("value"), 7]).text, "SET key value 7");
  assert.equal(statements.of("SET", ["SET", "key"], 1).text, "SET key");
  assert.equal(statements.of("set", ["v".repeat(64)]).text, `SET ${"v".repeat(64)}`);
  assert.equal(statements.of("set", ["v".repeat(65)]).text, `SET ${"v".repeat(63)}…`);
  assert.equal(
    statements.of(
      "del",
      Array.from({ length: 17 }, () => "k"),
    ).text,
    `DEL ${"k ".repeat(16)}…`,
  );
});

test("credentials are never recorded", () => {
  const statements = new CommandStatements();
  statements.mode = "raw";
  for (const name of ["auth", "HELLO", "acl", "CONFIG"])
    assert.equal(statements.of(name, ["3", "secret"]).text, `${name.toUpperCase()} ?`);
});

test("what is no name is recorded in no mode", () => {
  const statements = new CommandStatements();
  for (const mode of ["off", "obfuscated", "raw"] as const) {
    statements.mode = mode;
    for (const name of ["", "a b", "x".repeat(41), "user:7", 7, null, undefined, {}])
      assert.deepEqual(statements.of(name, ["secret"]), { text: "", operation: "", table: "" });
  }
});

test("no argument ever shows", () => {
  const anything = fc.anything({ withBigInt: true, withTypedArray: true });
  fc.assert(
    fc.property(fc.constantFrom("get", "MSET", "hset"), fc.array(anything), (name, args) => {
      assert.deepEqual(new CommandStatements().of(name, args), {
        text: "",
        operation: name.toUpperCase(),
        table: "",
      });
    }),
  );
});
