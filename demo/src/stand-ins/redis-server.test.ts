import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { createClient } from "redis";
import { CacheKeys } from "./cache-keys.ts";
import { redisServer } from "./redis-server.ts";

for (const RESP of [2, 3] as const) {
  test(`the real driver keeps texts and lists there, by RESP${RESP}`, async () => {
    const server = redisServer();
    const port = await server.listen();
    const client = createClient({ RESP, url: `redis://127.0.0.1:${port}` });
    const complaints: Error[] = [];
    client.on("error", (error: Error) => complaints.push(error));
    await client.connect();
    assert.equal(await client.ping(), "PONG");
    assert.equal(await client.get("product:1"), null);
    assert.equal(await client.set("product:1", "naïve", { expiration: { type: "EX", value: 60 } }), "OK");
    assert.equal(await client.get("product:1"), "naïve");
    assert.equal(await client.rPop("mails"), null);
    assert.equal(await client.lPush("mails", "first"), 1);
    assert.equal(await client.lPush("mails", "second"), 2);
    assert.equal(await client.rPop("mails"), "first");
    await assert.rejects(client.hGetAll("h"), /does not know 'HGETALL'/);
    assert.deepEqual(complaints, []);
    client.destroy();
    server.close();
  });
}

test("a command may come in pieces, and what is no command ends its connection", async () => {
  const server = redisServer();
  const socket = connect(await server.listen(), "127.0.0.1");
  let answered = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    answered += text;
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for (const piece of ["*1\r", "\n$4\r\nPI", "NG\r\n*1\r\n$4\r\nPING\r\n"]) {
    socket.write(piece);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  while (answered.length < 14) await new Promise((resolve) => socket.once("data", resolve));
  assert.equal(answered, "+PONG\r\n+PONG\r\n");
  socket.write("GET / HTTP/1.1\r\n");
  await closed;
  server.close();
});

test("a key is gone after its time, and the oldest goes when there are too many", () => {
  let nowMs = 0;
  const keys = new CacheKeys(() => nowMs);
  keys.set("short", "value", 1_000);
  nowMs = 999;
  assert.equal(keys.get("short"), "value");
  nowMs = 1_000;
  assert.equal(keys.get("short"), null);
  for (let i = 0; i <= 2_000; i++) keys.set(`key ${i}`, "value", 1_000);
  assert.equal(keys.get("key 0"), null);
  assert.equal(keys.get("key 1"), "value");
});
