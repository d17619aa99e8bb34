import http from "node:http";
import { boom, laterBoom, parts, refused, work } from "./work.mjs";

export default async function make(load) {
  const [koa, koaRouter] = [await load("koa"), await load("@koa/router")];
  const Koa = koa.default ?? koa;
  const Router = koaRouter.default ?? koaRouter;
  const app = new Koa();
  app.silent = true;
  const users = new Router();
  users.get("/:id", async (ctx) => {
    await work(ctx.originalUrl);
    ctx.body = ctx.params.id;
  });
  const orgs = new Router({ prefix: "/orgs/:org" });
  orgs.use("/users", users.routes(), users.allowedMethods());
  const router = new Router();
  router.get("/boom", boom);
  router.get("/later-boom", laterBoom);
  router.get("/refused", () => {
    throw refused();
  });
  router.get("/stream", (ctx) => {
    ctx.body = parts(ctx.originalUrl);
  });
  router.get("/hang", () => new Promise(() => {}));
  // As the guide of Koa has it: a handler of the app's own tells the app.
  router.get("/told", async (ctx, next) => {
    try {
      await next();
      await laterBoom();
    } catch (error) {
      ctx.status = 503;
      ctx.body = "sorry";
      ctx.app.emit("error", error, ctx);
    }
  });
  app.use(async (ctx, next) => {
    if (ctx.path === "/guarded") ctx.status = 401;
    else await next();
  });
  app.use(router.routes()).use(router.allowedMethods()).use(orgs.routes());
  return http.createServer(app.callback());
}
