// The demo's shop as a user would write it: Express, PostgreSQL, Redis, and a payment service over HTTP. Its mistakes are on purpose.
import { createHash } from "node:crypto";
import express from "express";
import { stopRequest } from "../stop-request.js"; // before what waits for Redis
import { ordersPlaced, startBackgroundWork } from "./background.js";
import { cached, redis } from "./cache.js";
import { database, inTransaction } from "./database.js";
import { pay } from "./payment.js";

const { PORT = "0" } = process.env;
const RENDERING_MS = 1_200;

const app = express();
app.disable("x-powered-by");
app.use(express.json());

app.get("/", async (_req, res) => {
  const products = await cached("featured", 3, async () => {
    const { rows } = await database.query(
      "SELECT id, name, price_cents FROM products WHERE is_featured ORDER BY rank LIMIT 12",
    );
    return rows;
  });
  res.json(products);
});

app.get("/products/:id", async (req, res) => {
  const product = await cached(`product:${req.params.id}`, 20, async () => {
    const { rows } = await database.query(
      "SELECT id, name, price_cents, description FROM products WHERE id = $1",
      [req.params.id],
    );
    return rows[0] ?? null;
  });
  if (product === null) res.status(404).json({ error: "no such product" });
  else res.json(product);
});

// Mistake: values within the statement. The console shows it without them.
app.get("/search", async (req, res) => {
  const words = String(req.query.words).replaceAll("'", "''");
  const { rows } = await database.query(
    `SELECT id, name, price_cents FROM products WHERE name ILIKE '%${words}%' AND price_cents < ${Number(req.query.below)} ORDER BY price_cents LIMIT 20`,
  );
  res.json(rows);
});

// Mistake: one statement for each line of the cart (N+1).
app.get("/carts/:id", async (req, res) => {
  const { rows: lines } = await database.query(
    "SELECT product_id, quantity FROM cart_lines WHERE cart_id = $1",
    [req.params.id],
  );
  let totalCents = 0;
  for (const { product_id, quantity } of lines) {
    const { rows } = await database.query("SELECT price_cents FROM products WHERE id = $1", [product_id]);
    totalCents += rows[0].price_cents * quantity;
  }
  res.json({ lines: lines.length, totalCents });
});

app.post("/orders", async (req, res) => {
  const { cartId, totalCents, productIds } = req.body;
  const orderId = await inTransaction(async (client) => {
    const { rows } = await client.query(
      "INSERT INTO orders (cart_id, total_cents) VALUES ($1, $2) RETURNING id",
      [cartId, totalCents],
    );
    for (const id of productIds)
      await client.query("UPDATE stock SET units = units - 1 WHERE product_id = $1", [id]);
    return rows[0].id;
  });
  if (!(await pay(orderId, totalCents))) {
    res.status(402).json({ error: "the card was declined" });
    return;
  }
  await redis.lPush("mails", JSON.stringify({ orderId }));
  ordersPlaced.add();
  res.status(201).json({ orderId });
});

// Mistake: not every customer has an address.
app.get("/customers/:id", async (req, res) => {
  const { rows } = await database.query("SELECT id, name, address FROM customers WHERE id = $1", [
    req.params.id,
  ]);
  const [customer] = rows;
  const { rows: orders } = await database.query(
    "SELECT id, total_cents, placed_at FROM orders WHERE customer_id = $1 ORDER BY placed_at DESC LIMIT 10",
    [req.params.id],
  );
  res.json({ name: customer.name, town: customer.address.split(", ").at(-1), orders });
});

app.get("/reports/sales", async (_req, res) => {
  const { rows } = await database.query(
    "SELECT country, SUM(total_cents) AS turnover_cents FROM orders WHERE placed_at > '2026-01-01' AND country IN ('DE', 'FR', 'NL') GROUP BY country ORDER BY turnover_cents DESC",
  );
  res.json(rows);
});

// Mistake: it computes for so long at a time, while all other requests wait.
app.get("/invoices/:id", (req, res) => {
  const doneMs = performance.now() + RENDERING_MS;
  let page = req.params.id;
  while (performance.now() < doneMs) page = createHash("sha256").update(page).digest("hex");
  res.json({ invoice: page });
});

app.post("/login", (req, res) => {
  if (req.body.password === "correct horse") res.status(303).location("/").end();
  else res.status(401).json({ error: "wrong password" });
});

// With a handler of one's own Express prints no stacks.
app.use((error, _req, res, _next) => {
  res.status(500).json({ error: error.message });
});

const stopBackgroundWork = startBackgroundWork();
const server = app.listen(Number(PORT), "127.0.0.1", () => {
  process.send?.({ type: "ready", address: `http://127.0.0.1:${server.address().port}` });
});

await stopRequest;
stopBackgroundWork();
server.close();
server.closeAllConnections();
redis.destroy();
void database.end();
