import assert from "node:assert/strict";
import { test } from "node:test";
import { UNREADABLE_STATEMENT } from "./obfuscate.ts";
import { Statements } from "./statements.ts";

const HIDDEN = UNREADABLE_STATEMENT.text;

const CASES: [system: string, text: string, expected: string][] = [
  ["postgresql", "SELECT $$CANARY$$", "SELECT ?"],
  ["mariadb", 'SELECT "it\\"s CANARY"', "SELECT ?"],
  ["mssql", "SELECT [name] FROM [users] WHERE id = 7", "SELECT [name] FROM [users] WHERE id = ?"],
  ["redis", "SET user:CANARY CANARY EX 60", "SET ?"],
  ["redis", "PING", "PING"],
  ["memcached", "delete CANARY", "DELETE ?"],
  ["valkey", "CANARY:7", HIDDEN],
  // An app that has not said what it talks to.
  ["", "SET user:CANARY CANARY", HIDDEN],
  ["", "delete CANARY", HIDDEN],
  ["", "get CANARY", HIDDEN],
  ["", "  -- why\n (select 7)", "(select ?)"],
  ["", "SET search_path TO 'CANARY'", "SET search_path TO ?"],
  ["", "DELETE FROM users WHERE id = 7", "DELETE FROM users WHERE id = ?"],
  ["mongodb", '{"find":"users","filter":{"name":"CANARY"}}', "{?:?,?:{?:?}}"],
  ["elasticsearch", "name:CANARY", HIDDEN],
  ["mongodb", "db.users.find({name: /CANARY/})", HIDDEN],
];

for (const [system, text, expected] of CASES) {
  test(`${system === "" ? "(no system)" : system}: ${JSON.stringify(text)}`, () => {
    assert.equal(new Statements().of(system, text).text, expected);
  });
}

test("what begins like comments without end costs no time", () => {
  const startMs = performance.now();
  new Statements().of("", `${"/* ".repeat(5_000)}${"-- ".repeat(5_000)}${"(\n".repeat(5_000)}`);
  assert.ok(performance.now() - startMs < 1_000);
});
