// The service that the demo's shop pays by: Express, PostgreSQL, and a card network that it asks over HTTP.

import express from "express";
import { Pool } from "pg";
import { stopRequest } from "../stop-request.js";

const { PORT = "0", DATABASE_URL, CARD_NETWORK_URL } = process.env;
const CARD_NETWORK_WITHIN_MS = 900;

class CardNetworkError extends Error {
  name = "CardNetworkError";
}

const database = new Pool({ connectionString: DATABASE_URL, max: 5 });
database.on("error", (error) => console.error(`database: ${error.message}`));
const app = express();
app.disable("x-powered-by");
app.use(express.json());

app.post("/payments", async (req, res) => {
  const { orderId, amountCents } = req.body;
  const { rows } = await database.query("SELECT state FROM payments WHERE order_id = $1", [orderId]);
  if (rows.length > 0) {
    res.json({ state: rows[0].state });
    return;
  }
  const isAuthorised = await authorise(amountCents);
  await database.query("INSERT INTO payments (order_id, amount_cents, state) VALUES ($1, $2, $3)", [
    orderId,
    amountCents,
    isAuthorised ? "authorised" : "declined",
  ]);
  res.status(isAuthorised ? 201 : 402).json({ state: isAuthorised ? "authorised" : "declined" });
});

async function authorise(amountCents) {
  const answer = await fetch(`${CARD_NETWORK_URL}/authorisations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ amountCents }),
    signal: AbortSignal.timeout(CARD_NETWORK_WITHIN_MS),
  });
  await answer.arrayBuffer();
  if (answer.status >= 500) throw new CardNetworkError(`the card network answered ${answer.status}`);
  return answer.status !== 402;
}

app.get("/payments/:order", async (req, res) => {
  const { rows } = await database.query("SELECT state FROM payments WHERE order_id = $1", [req.params.order]);
  if (rows.length === 0) res.status(404).json({ error: "no such payment" });
  else res.json(rows[0]);
});

// With a handler of one's own Express prints no stacks.
app.use((error, _req, res, _next) => {
  res.status(500).json({ error: error.message });
});

const server = app.listen(Number(PORT), "127.0.0.1", () => {
  process.send?.({ type: "ready", address: `http://127.0.0.1:${server.address().port}` });
});

await stopRequest;
server.close();
server.closeAllConnections();
void database.end();
