import http from "node:http";
import { boom, laterBoom, parts, refused, work } from "./work.mjs";

export default async function make(load) {
  const library = await load("express");
  const express = library.default ?? library;
  const app = express();
  app.set("env", "test");
  const orgs = express.Router({ mergeParams: true });
  const users = express.Router({ mergeParams: true });
  users.get("/:id", async (request, response) => {
    await work(request.originalUrl);
    response.send(request.params.id);
  });
  orgs.use("/users", users);
  app.use((_request, _response, next) => setImmediate(() => next()));
  app.use("/guarded", (_request, response) => response.status(401).end());
  app.use("/orgs/:org", orgs);
  app.get("/boom", boom);
  app.get("/later-boom", (_request, _response, next) => void laterBoom().catch(next));
  app.get("/refused", (_request, _response, next) => next(refused()));
  app.get("/stream", (request, response) => void parts(request.originalUrl).pipe(response));
  app.get("/hang", () => {});
  return http.createServer(app);
}
