import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { Client } from "pg";
import { type AnswerStatement, postgresServer, StatementError } from "./postgres-server.ts";

const answer: AnswerStatement = async (statement, values) => {
  if (statement.startsWith("FAIL")) throw new StatementError("40P01", "deadlock detected");
  const [verb = ""] = statement.split(" ", 1);
  if (verb !== "SELECT") return { columns: [], rows: [], tag: verb };
  const columns = [
    { name: "number", type: 23 },
    { name: "words", type: 25 },
  ];
  return { columns, rows: [["42", values[0] ?? null]], tag: "SELECT 1" };
};

const server = postgresServer(answer);
let port = 0;
let client: Client;

before(async () => {
  port = await server.listen();
  client = new Client({ host: "127.0.0.1", port, user: "demo", database: "shop" });
  await client.connect();
});
after(async () => {
  await client.end();
  server.close();
});

test("the real driver reads rows, with values and without, each column by its type", async () => {
  const without = await client.query("SELECT a");
  assert.deepEqual(without.rows, [{ number: 42, words: null }]);
  const within = await client.query("SELECT a WHERE b = $1", ["naïve"]);
  assert.deepEqual(within.rows, [{ number: 42, words: "naïve" }]);
  assert.deepEqual((await client.query("SELECT a WHERE b = $1", [null])).rows, [{ number: 42, words: null }]);
});

test("a statement that fails is an error with its code, and the connection goes on", async () => {
  await client.query("BEGIN");
  const isDeadlock = { name: "error", code: "40P01", message: "deadlock detected" };
  await assert.rejects(client.query("FAIL $1", [1]), isDeadlock);
  await assert.rejects(client.query("FAIL"), isDeadlock);
  await client.query("ROLLBACK");
  assert.equal((await client.query("SELECT a")).rowCount, 1);
});

test("what is not the protocol ends its connection and no other", async () => {
  const stranger = connect(port, "127.0.0.1");
  stranger.on("error", () => {}).resume();
  stranger.write("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  await new Promise((closed) => stranger.once("close", closed));
  assert.equal((await client.query("SELECT a")).rowCount, 1);
});
