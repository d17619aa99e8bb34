import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_STATEMENT_CHARS } from "@apm-daemon/protocol";
import { StatementCache } from "./statement-cache.ts";

const SQL = "SELECT name FROM users WHERE id = 7";

test("the mode decides what is recorded, at once, and never what the call is named", () => {
  const statements = new StatementCache("postgresql");
  assert.equal(statements.of(SQL).text, "SELECT name FROM users WHERE id = ?");
  statements.mode = "raw";
  assert.equal(statements.of(SQL).text, SQL);
  statements.mode = "off";
  assert.deepEqual(statements.of(SQL), { text: "", operation: "SELECT", table: "users" });
});

test("a repeated statement is the same object", () => {
  const statements = new StatementCache("mysql");
  const first = statements.of(SQL);
  // More statements than one generation holds, and less than two.
  for (let i = 0; i < 700; i++) statements.of(`SELECT ${"a".repeat(i + 1)}`);
  assert.equal(statements.of(SQL), first);
});

test("a text is obfuscated before it is cut, and the cut is marked", () => {
  const { text } = new StatementCache("mysql").of(`SELECT ${"col, ".repeat(2_000)} 'secret'`);
  assert.equal(text.length, MAX_STATEMENT_CHARS);
  assert.ok(text.endsWith("…"));
});
