"use strict";
// Ends in the way that the URL asks for, in the middle of its work. Its database is made of spans alone.
const { createServer } = require("node:http");
const { SpanKind, trace } = require("@opentelemetry/api");

const tracer = trace.getTracer("doomed");
const statement = (table) =>
  tracer
    .startSpan(`SELECT ${table}`, {
      kind: SpanKind.CLIENT,
      attributes: {
        "db.system.name": "postgresql",
        "db.operation.name": "SELECT",
        "db.collection.name": table,
        "db.query.text": `SELECT * FROM ${table} WHERE id = ?`,
        "server.address": "db.test",
      },
    })
    .end();
const hoard = [];

const routes = {
  "/work": (res) => {
    statement("users");
    res.end("done\n");
  },
  // Asks its database, and never answers.
  "/hang": () => {
    statement("orders");
    statement("items");
  },
  "/exit": () => process.exit(1),
  "/throw": () => {
    setTimeout(() => {
      throw new TypeError("the cart is undefined");
    }, 10);
  },
  "/eat": () => {
    setInterval(() => hoard.push(Buffer.alloc(2_000_000, 1)), 40);
  },
};

const server = createServer((req, res) => routes[req.url](res));
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
