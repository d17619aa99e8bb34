import { Readable } from "node:stream";
import { boom, laterBoom, parts, work } from "./work.mjs";

export default async function make(load) {
  const { Hono } = await load("hono");
  const { HTTPException } = await load("hono/http-exception");
  const { createAdaptorServer } = await load("@hono/node-server");
  const app = new Hono();
  const users = new Hono();
  users.get("/:id", async (c) => {
    await work(c.req.path);
    return c.text(c.req.param("id"));
  });
  const orgs = new Hono();
  orgs.route("/users", users);
  const own = new Hono();
  own.get("/boom", laterBoom);
  own.onError((_error, c) => c.text("own", 502));
  app.use(async (_c, next) => {
    await next();
  });
  app.use("/guarded/*", async (c) => c.text("no", 401));
  app.route("/orgs/:org", orgs);
  app.route("/own", own);
  app.mount("/mounted", new Hono().get("/things/:thing", (c) => c.text("thing")).fetch);
  app.get("/boom", boom);
  app.get("/later-boom", laterBoom);
  app.get("/refused", () => {
    throw new HTTPException(403, { message: "not yours" });
  });
  app.get("/stream", (c) => c.body(Readable.toWeb(parts(c.req.path))));
  app.get("/hang", () => new Promise(() => {}));
  app.onError((error, c) => ("getResponse" in error ? error.getResponse() : c.text("sorry", 500)));
  return createAdaptorServer(app);
}
