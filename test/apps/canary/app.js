// Sends statements full of secrets to its databases, in all the ways that there are to write a literal; it knows nothing of the agent.
import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import express from "express";
import mysql from "mysql2/promise";
import { Pool } from "pg";
import { failingStatements, manualStatements, mysqlStatements, postgresStatements } from "./statements.js";

const { PORT = "0", POSTGRES_URL, MYSQL_URL } = process.env;
const postgres = new Pool({ connectionString: POSTGRES_URL, max: 1 });
const mariadb = mysql.createPool({ uri: MYSQL_URL, connectionLimit: 1 });
await postgres.query("CREATE TABLE IF NOT EXISTS birdcage (name text PRIMARY KEY, age numeric)");
await mariadb.query("CREATE TABLE IF NOT EXISTS birdcage (name varchar(200) PRIMARY KEY, age decimal(40,4))");

const tracer = trace.getTracer("by-hand");
const app = express();

/** Sends a third of the statements from `from` to `to` to each driver, and makes spans by hand for the last third. */
app.get("/run/:from/:to", async (req, res) => {
  let sent = 0;
  for (let n = Number(req.params.from); n < Number(req.params.to); n++) {
    const way = n % 3;
    if (way === 0) await sendTo((...args) => postgres.query(...args), postgresStatements, n);
    else if (way === 1)
      await sendTo(
        (...args) => (n % 2 === 0 ? mariadb.execute(...args) : mariadb.query(...args)),
        mysqlStatements,
        n,
      );
    else makeSpan(manualStatements[Math.floor(n / 3) % manualStatements.length](n));
    sent++;
  }
  // What was put in would come out with each of the statements to come.
  await Promise.all([postgres.query("DELETE FROM birdcage"), mariadb.query("DELETE FROM birdcage")]);
  res.json({ sent });
});

async function sendTo(query, statements, n) {
  const { sql, values } = statements[Math.floor(n / 3) % statements.length](n);
  await query(sql, values);
}

function makeSpan({ name, attributes, error, order = "before" }) {
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, ...(order === "before" && { attributes }) });
  if (order === "after") span.setAttributes(attributes);
  if (error !== undefined) {
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  }
  span.end();
}

/** Two calls that take their time, through pools. */
app.get("/slow", async (_req, res) => {
  await sleepInPostgres();
  await sleepInMariadb();
  res.json({ slept: true });
});

async function sleepInPostgres() {
  await postgres.query("SELECT pg_sleep(0.06)");
}

async function sleepInMariadb() {
  await mariadb.query("SELECT SLEEP(?)", [0.06]);
}

/** Lets an error of a database come out of the handler, as apps do. */
app.get("/fail/:n", async (req) => {
  const n = Number(req.params.n);
  const { system, sql, values, wrap } = failingStatements[n % failingStatements.length](n);
  try {
    await (system === "mysql" ? mariadb : postgres).query(sql, values);
  } catch (error) {
    throw wrap === undefined ? error : wrap(error);
  }
  throw new Error("the statement should have failed");
});

app.use((error, _req, res, _next) => {
  res.status(500).json({ error: error.message });
});

const server = app.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
process.on("SIGTERM", async () => {
  server.close();
  server.closeAllConnections();
  await Promise.all([postgres.end(), mariadb.end()]);
});
