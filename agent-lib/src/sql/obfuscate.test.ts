import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { obfuscateSql, type SqlDialect, UNREADABLE_STATEMENT } from "./obfuscate.ts";
import { obfuscateMessage } from "./obfuscate-message.ts";

const HIDDEN = UNREADABLE_STATEMENT.text;

const CASES: [dialect: SqlDialect, sql: string, expected: string][] = [
  ["postgresql", "SELECT * FROM users WHERE id = 42", "SELECT * FROM users WHERE id = ?"],
  ["postgresql", "SELECT 'it''s' , -1.5e-3,.5,0xFF", "SELECT ? , -?,?,?"],
  ["postgresql", "SELECT * FROM t WHERE a IN (1, 2,3)", "SELECT * FROM t WHERE a IN (?)"],
  ["postgresql", "SELECT * FROM t WHERE a IN ($1,$2) AND b = $3", "SELECT * FROM t WHERE a IN (?) AND b = ?"],
  ["mysql", "INSERT INTO t (a,b) VALUES (1,'x'), (2,NULL),(3,'z')", "INSERT INTO t (a,b) VALUES (?)"],
  ["postgresql", "SELECT /* user 77 */ 1 -- mail bob@x\nFROM t", "SELECT ? FROM t"],
  ["postgresql", "SELECT 1 /* a /* nested */ still */ + 2", "SELECT ? + ?"],
  ["mysql", "SELECT 1 # secret\n, 2", "SELECT ? , ?"],
  ["postgresql", "SELECT data #> '{a}' FROM t", "SELECT data #> ? FROM t"],
  ["postgresql", "SELECT 'a\\', 'secret'", "SELECT ?, ?"],
  ["mysql", "SELECT 'a\\', \\'secret' , 1", "SELECT ? , ?"],
  ["unknown", "SELECT 'a\\', 'secret', 'b\\', 'x'", HIDDEN],
  ["postgresql", "SELECT E'a\\'secret' , 2", "SELECT ? , ?"],
  ["postgresql", "SELECT $$secret$$, $a$it's $$ secret$a$", "SELECT ?, ?"],
  ["postgresql", "SELECT $tag$ never closed", HIDDEN],
  ["postgresql", 'SELECT "Name" FROM "My Table"', 'SELECT "Name" FROM "My Table"'],
  ["mysql", 'SELECT "secret" FROM `t`', "SELECT ? FROM `t`"],
  ["unknown", 'SELECT "secret"', "SELECT ?"],
  ["mysql", "SELECT _utf8'secret', x'CAFE', N'secret'", "SELECT ?, ?, ?"],
  ["postgresql", "SELECT U&'secret'", "SELECT ?"],
  ["postgresql", "SELECT 'open", HIDDEN],
  ["postgresql", "SELECT * FROM t WHERE a = ANY(ARRAY[1,2,3])", "SELECT * FROM t WHERE a = ANY(ARRAY[?])"],
  ["postgresql", "SELECT t1.col2 FROM t1", "SELECT t1.col2 FROM t1"],
  ["unknown", "SELECT\u00a0123, 12abc", "SELECT ?, ?"],
  ["postgresql", "  SELECT\n\t1  ", "SELECT ?"],
  ["postgresql", "CALL f(1, 2)", "CALL f(?, ?)"],
  ["mysql", "SELECT ? LIMIT ?, ?", "SELECT ? LIMIT ?, ?"],
  ["unknown", "", ""],
  ["unknown", "SELECT 5 --'a\nCANARY'", HIDDEN],
  ["unknown", "SELECT 5 --x\n, 6 # y\n, 7 -- it's\n, 8", "SELECT ? , ? , ? , ?"],
  ["unknown", "SELECT data #> '{a\nCANARY}'", HIDDEN],
  ["mysql", "SELECT 5--'a\nCANARY'", "SELECT ?--?"],
  ["unknown", "SELECT '''it's CANARY'''", HIDDEN],
  ["unknown", "SELECT q'[it's CANARY]'", HIDDEN],
];

for (const [dialect, sql, expected] of CASES) {
  test(`${dialect}: ${JSON.stringify(sql)}`, () => {
    assert.equal(obfuscateSql(sql, dialect).text, expected);
  });
}

test("operation and table are found", () => {
  const find = (sql: string): string => {
    const { operation, table } = obfuscateSql(sql, "postgresql");
    return `${operation} ${table}`;
  };
  assert.equal(find("select a from shop.orders o join users u on 1=1"), "SELECT shop.orders");
  assert.equal(find('INSERT INTO "Order" (a) VALUES (1)'), "INSERT Order");
  assert.equal(find("UPDATE ONLY users SET a = 1"), "UPDATE users");
  assert.equal(find("DELETE FROM users"), "DELETE users");
  assert.equal(find("SELECT * FROM (SELECT 1) x"), "SELECT ");
  assert.equal(find("BEGIN"), "BEGIN ");
  assert.equal(find("CREATE TABLE IF NOT EXISTS t (a int)"), "CREATE t");
});

test("a statement longer than what is read shows no part of the literal it was cut in", () => {
  const sql = `INSERT INTO t VALUES ('${"secret ".repeat(20_000)}')`;
  assert.equal(obfuscateSql(sql, "mysql").text, "INSERT INTO t VALUES (?");
});

const dialects = fc.constantFrom<SqlDialect>("postgresql", "mysql", "unknown");
const soup = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "'",
        '"',
        "`",
        "\\",
        "$",
        "$$",
        "--",
        "/*",
        "*/",
        "#",
        "(",
        ")",
        "[",
        "]",
        ",",
        "?",
        "\n",
      ),
      fc.constantFrom("SELECT", "IN", "VALUES", "E'", "x'", "U&'", "1", "a", " ", "."),
      fc.string({ unit: "binary", maxLength: 5 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

test("no text makes it throw, and it obfuscates its own output to itself or hides it", () => {
  fc.assert(
    fc.property(soup, dialects, (sql, dialect) => {
      const once = obfuscateSql(sql, dialect).text;
      const twice = obfuscateSql(once, dialect).text;
      assert.ok(once === HIDDEN || twice === once || twice === HIDDEN || twice.length <= once.length);
    }),
    { numRuns: 3_000 },
  );
});

const CANARY = "CANARY";
const literalOf: Record<SqlDialect, fc.Arbitrary<string>> = {
  postgresql: fc.constantFrom(
    `'${CANARY}'`,
    `'x''${CANARY}'`,
    `E'\\'${CANARY}'`,
    `$$${CANARY}$$`,
    `$q$'${CANARY}$q$`,
    `'\\'`,
    `'${CANARY}\\'`,
    `/* ${CANARY} */ 1`,
    `-- ${CANARY} '\n 2`,
    `U&'${CANARY}'`,
    "19731973",
    "-19731973.5e-1973",
  ),
  mysql: fc.constantFrom(
    `'${CANARY}'`,
    `"${CANARY}"`,
    `'x\\'${CANARY}'`,
    `"x\\"${CANARY}"`,
    `'x''${CANARY}'`,
    `'\\\\'`,
    `N'${CANARY}'`,
    `/*! ${CANARY} */ 1`,
    `-- ${CANARY} '\n 2`,
    `# ${CANARY} "\n 3`,
    "0x1973",
    "1973e5",
  ),
  unknown: fc.constantFrom(
    `'${CANARY}'`,
    `"${CANARY}"`,
    `'x''${CANARY}'`,
    `/* ${CANARY} */ 1`,
    `# ${CANARY}\n 1`,
    `'${CANARY}\\'`,
    "1973.5",
  ),
};
const shapes = [
  "SELECT a FROM t WHERE b = %",
  "INSERT INTO t VALUES (%, %)",
  "SELECT f(%) , % AS c",
  "UPDATE t SET a=% WHERE b IN (%,%)",
];

test("no literal, digit or comment of a valid statement comes through", () => {
  fc.assert(
    fc.property(
      dialects,
      fc.constantFrom(...shapes),
      fc.infiniteStream(fc.nat()),
      (dialect, shape, picks) => {
        const pick = (): string =>
          fc.sample(literalOf[dialect], { numRuns: 1, seed: picks.next().value })[0] ?? "";
        const sql = shape.replaceAll("%", pick);
        const { text } = obfuscateSql(sql, dialect);
        assert.doesNotMatch(text, /CANARY|1973/, sql);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("messages of databases lose what they quote", () => {
  assert.equal(obfuscateMessage("Duplicate entry 'bob's@x' for key 'users.email'"), "Duplicate entry ?");
  assert.equal(
    obfuscateMessage('invalid input syntax for type integer: "abc"'),
    "invalid input syntax for type integer: ?",
  );
  assert.equal(obfuscateMessage("timeout after 3000 ms"), "timeout after ? ms");
  assert.equal(obfuscateMessage("near 'SELECT secret"), "near ?");
});
