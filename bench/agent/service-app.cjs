// A service as people write them: each request makes two queries of PostgreSQL, by a pool, and reads from Redis. In CommonJS,
// which all peers can instrument; on SIGUSR2 it prints what it has used so far.
const { createServer } = require("node:http");
const { Pool } = require("pg");
const { createClient } = require("redis");
const { watchUsage } = require("./usage.cjs");

const pool = new Pool({ connectionString: process.env.POSTGRES_URL, max: 10 });
const redis = createClient({ url: process.env.REDIS_URL });
const usage = watchUsage();

const server = createServer(async (request, response) => {
  try {
    const id = (usage.requests++ % 50) + 1;
    const { rows } = await pool.query("SELECT id, name FROM users WHERE id = $1", [id]);
    const cached = await redis.get(`greeting:${id}`);
    const { rows: others } = await pool.query("SELECT count(*) AS n FROM users WHERE id > $1", [id]);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ user: rows[0], cached, others: others[0].n, path: request.url }));
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
});
void redis
  .connect()
  .then(() =>
    server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port }))),
  );
