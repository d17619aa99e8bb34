// A web shop as a user would write it: Express, ES modules, three databases. It knows nothing of the agent.
import { setTimeout as sleep } from "node:timers/promises";
import express from "express";
import mysql from "mysql2/promise";
import { Pool } from "pg";
import { createClient } from "redis";

const { PORT = "0", POSTGRES_URL, MYSQL_URL, REDIS_URL, STOCK_URL } = process.env;

const postgres = new Pool({ connectionString: POSTGRES_URL, max: 10 });
const mariadb = mysql.createPool({ uri: MYSQL_URL, connectionLimit: 10 });
const redis = createClient({ url: REDIS_URL });
await redis.connect();
// A blocking call holds up what shares its connection.
const blockingRedis = await redis.duplicate().connect();

const app = express();
app.disable("x-powered-by");
app.use(express.json());

app.get("/users/:id", async (req, res) => {
  const { rows } = await postgres.query("SELECT id, name FROM users WHERE id = $1", [req.params.id]);
  if (rows.length === 0) res.status(404).json({ error: "no such user" });
  else res.json(rows[0]);
});

app.post("/orders", async (req, res) => {
  const { rows } = await postgres.query("INSERT INTO orders (item) VALUES ($1) RETURNING item", [
    req.body.item,
  ]);
  await redis.incr("orders");
  res.status(201).json({ item: rows[0].item });
});

const shopRouter = express.Router({ mergeParams: true });
shopRouter.get("/orders/:order", async (req, res) => {
  const { shop, order } = req.params;
  const [rows] = await mariadb.query("SELECT shop, id FROM orders WHERE shop = ? AND id = ?", [shop, order]);
  await redis.get(`seen:${shop}:${order}`);
  res.json(rows[0] ?? null);
});
app.use("/shops/:shop", shopRouter);

// A tag is letters only and becomes a column name: so the statement of a span says which request it belongs to.
app.param("tag", (_req, res, next, tag) => {
  if (/^[a-z]{1,40}$/.test(tag)) next();
  else res.status(400).json({ error: "a tag is 1 to 40 letters" });
});

app.get("/fail/:tag", async (req) => {
  await postgres.query(`SELECT name AS ${req.params.tag} FROM users WHERE id = $1`, [1]);
  throw new Error("the payment provider said no");
});

app.get("/mix/:tag", async (req, res) => {
  const { tag } = req.params;
  await Promise.all([
    postgres.query(`SELECT name AS ${tag}_a FROM users WHERE id = $1`, [2]),
    mariadb.query(`SELECT name AS ${tag}_b FROM items WHERE id = ?`, [3]),
    redis.set(`mix:${tag}`, tag),
  ]);
  await sleep(1);
  const { rows } = await postgres.query(`SELECT name AS ${tag}_c FROM users WHERE id = $1`, [4]);
  res.json({ tag, ...rows[0] });
});

// As an object-relational mapper does it: one statement for each line of the cart.
app.get("/carts/:lines", async (req, res) => {
  const names = [];
  for (let id = 1; id <= Number(req.params.lines); id++) {
    const { rows } = await postgres.query("SELECT name FROM users WHERE id = $1", [id]);
    names.push(rows[0]?.name ?? null);
  }
  res.json(names);
});

app.get("/relay/:id", async (req, res) => {
  const answer = await fetch(`${STOCK_URL}/internal/stock/${req.params.id}`);
  res.status(answer.status).json(await answer.json());
});

app.get("/slow/:ms", async (req, res) => {
  await sleep(Number(req.params.ms));
  res.json({ sleptMs: Number(req.params.ms) });
});

app.get("/wait/database", async (_req, res) => {
  await postgres.query("SELECT pg_sleep(0.1)");
  res.json({ waited: true });
});

app.get("/wait/cache", async (_req, res) => {
  const element = await blockingRedis.blPop("nothing-ever-comes", 0.1);
  res.json({ element });
});

app.get("/busy/:calls", async (req, res) => {
  const calls = Array.from({ length: Number(req.params.calls) }, () => redis.get("orders"));
  res.json({ calls: (await Promise.all(calls)).length });
});

// What this process holds after a full collection; needs --expose-gc.
app.get("/memory", (_req, res) => {
  globalThis.gc();
  res.json(process.memoryUsage());
});

// As of Express 5 a rejected handler comes here; without a text of its own it would print the stack.
app.use((error, _req, res, _next) => {
  res.status(500).json({ error: error.message });
});

const server = app.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

process.on("SIGTERM", async () => {
  server.close();
  server.closeAllConnections();
  await Promise.all([postgres.end(), mariadb.end(), redis.close(), blockingRedis.close()]);
});
