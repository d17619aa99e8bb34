import http from "node:http";
import { boom, laterBoom, parts, refused, work } from "./work.mjs";

export default async function make(load) {
  const library = await load("fastify");
  const fastify = library.default ?? library;
  let server;
  const app = fastify({
    serverFactory: (handler) => {
      server = http.createServer(handler);
      return server;
    },
  });
  app.addHook("onRequest", async (request, reply) => {
    if (request.raw.url === "/guarded") return reply.code(401).send("no");
  });
  app.register(
    async (orgs) => {
      orgs.register(
        async (users) => {
          users.get("/:id", async (request) => {
            await work(request.raw.url);
            return request.params.id;
          });
        },
        { prefix: "/users" },
      );
    },
    { prefix: "/orgs/:org" },
  );
  app.get("/guarded", async () => "never");
  app.get("/boom", boom);
  app.get("/later-boom", laterBoom);
  app.get("/refused", async () => {
    throw refused();
  });
  app.get("/stream", (request, reply) => reply.send(parts(request.raw.url)));
  app.get("/hang", () => {});
  await app.ready();
  return server;
}
