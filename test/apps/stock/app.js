"use strict";
// The shop's stock-keeping as a user would write it: Fastify, CommonJS. It knows nothing of the agent.
const fastify = require("fastify");
const mysql = require("mysql2/promise");
const { createClient } = require("redis");

const { PORT = "0", MYSQL_URL, REDIS_URL } = process.env;

const mariadb = mysql.createPool({ uri: MYSQL_URL, connectionLimit: 10 });
const redis = createClient({ url: REDIS_URL });
const app = fastify();

async function readItem(id) {
  const cached = await redis.get(`item:${id}`);
  if (cached !== null) return JSON.parse(cached);
  const [rows] = await mariadb.execute("SELECT id, name FROM items WHERE id = ?", [id]);
  if (rows.length > 0) await redis.set(`item:${id}`, JSON.stringify(rows[0]));
  return rows[0] ?? null;
}

app.get("/items/:id", async (request, reply) => {
  const item = await readItem(request.params.id);
  if (item === null) return reply.code(404).send({ error: "no such item" });
  return item;
});

app.get("/internal/stock/:id", async (request) => {
  const [rows] = await mariadb.query("SELECT COUNT(*) AS left_over FROM items WHERE id >= ?", [
    request.params.id,
  ]);
  return { id: request.params.id, left: rows[0].left_over };
});

app.post("/items", async (request, reply) => {
  await mariadb.execute("INSERT INTO items (name) VALUES (?)", [request.body.name]);
  return reply.code(201).send({ name: request.body.name });
});

app.get("/fail/:tag", async (request) => {
  const { tag } = request.params;
  if (!/^[a-z]{1,40}$/.test(tag)) throw new TypeError("a tag is 1 to 40 letters");
  await mariadb.query(`SELECT name AS ${tag} FROM items WHERE id = ?`, [1]);
  throw new Error("the shelf is gone");
});

app.get("/health", async () => ({ ok: true }));

async function main() {
  await redis.connect();
  const address = await app.listen({ port: Number(PORT), host: "127.0.0.1" });
  console.log(`listening on ${address}`);
}

process.on("SIGTERM", async () => {
  await app.close();
  await Promise.all([mariadb.end(), redis.close()]);
});

void main();
