// A Hono app that calls itself once. Its imports come before any of its code, also when the agent is the first of them.
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const users = new Hono().get("/:id", (c) => c.text(c.req.param("id")));
const app = new Hono().route("/users", users);
const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, async ({ port }) => {
  const response = await fetch(`http://127.0.0.1:${port}/users/7`, { headers: { connection: "close" } });
  console.log(response.status, await response.text());
  server.close();
});
