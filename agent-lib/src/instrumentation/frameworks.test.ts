import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { start, stop } from "../index.ts";
import { DaemonPeer, type ReceivedSpan, until } from "../test-support/daemon-peer.ts";
import { WebServer } from "../test-support/web-server.ts";

const peer = new DaemonPeer({
  settings: { sql: "obfuscated", flushIntervalMs: 10, overheadBudgetRatio: 0.03 },
});
let web: WebServer;

before(async () => {
  await peer.listen();
  start({ socket: peer.path, log: false });
});

after(async () => {
  stop();
  await peer.close();
});

afterEach(async () => {
  peer.spans.length = 0;
  await web.close();
});

async function entry(path: string, method: string = "GET"): Promise<ReceivedSpan> {
  await web.call(path, { method });
  let found: ReceivedSpan | undefined;
  await until(() => {
    found = peer.spans.find((span) => span.kind === 1 && span.attributes["url.path"] === path.split("?")[0]);
    return found !== undefined;
  }, `the span of ${path} arrives`);
  assert.ok(found !== undefined);
  return found;
}

test("Express: names are templates with every mount path, whatever nests in what", async () => {
  // A name in a variable: this package has no types for it.
  const library: string = "express";
  const { default: express } = await import(library);
  const app = express();
  const orgs = express.Router({ mergeParams: true });
  const teams = express.Router();
  const admin = express();
  orgs.get("/users/:id", (_q: unknown, response: { end(): void }) => response.end());
  orgs.get("/", (_q: unknown, response: { end(): void }) => response.end());
  orgs.use("/teams/:team", teams);
  teams.get("/members/:member", (_q: unknown, response: { end(): void }) => response.end());
  teams.get("/pass", (_q: unknown, _r: unknown, next: () => void) => next());
  teams.get("/boom", () => {
    throw new RangeError("too far");
  });
  teams.get("/async-boom", async () => {
    throw new RangeError("too far, later");
  });
  admin.get("/stats/:day", (_q: unknown, response: { end(): void }) => response.end());
  app.use((_q: unknown, _r: unknown, next: () => void) => next());
  app.use("/orgs/:org", orgs);
  app.use("/admin", admin);
  app.use("/health", (_q: unknown, response: { end(): void }) => response.end());
  app.all("/any", (_q: unknown, response: { end(): void }) => response.end());
  app.get(["/a/:x", "/b/:x"], (_q: unknown, response: { end(): void }) => response.end());
  app.get(/^\/re(.*)$/, (_q: unknown, response: { end(): void }) => response.end());
  app.get("/", (_q: unknown, response: { end(): void }) => response.end());
  app.get("/handled", () => {
    throw new Error("handled by the app");
  });
  app.use(
    "/handled",
    (_e: unknown, _q: unknown, response: { status(code: number): { end(): void } }, _next: unknown) =>
      response.status(418).end(),
  );
  web = await new WebServer(app).listen();
  const names: [path: string, name: string][] = [
    ["/", "GET /"],
    ["/orgs/7", "GET /orgs/:org"],
    ["/orgs/7/users/9?x=1", "GET /orgs/:org/users/:id"],
    ["/orgs/7/teams/8/members/9", "GET /orgs/:org/teams/:team/members/:member"],
    ["/orgs/7/teams/8/pass", "GET (unmatched)"],
    ["/orgs/7/none", "GET (unmatched)"],
    ["/admin/stats/today", "GET /admin/stats/:day"],
    ["/health", "GET /health"],
    ["/any", "GET /any"],
    ["/a/1", "GET (/a/:x|/b/:x)"],
    ["/reached", "GET /^\\/re(.*)$/"],
    ["/none", "GET (unmatched)"],
    ["/handled", "GET /handled"],
  ];
  for (const [path, name] of names) assert.equal((await entry(path)).name, name, path);
  const handled = peer.spans.find((span) => span.attributes["url.path"] === "/handled" && span.kind === 1);
  assert.deepEqual([handled?.hasError, handled?.attributes["http.response.status_code"]], [false, 418]);
  for (const path of ["/orgs/7/teams/8/boom", "/orgs/7/teams/8/async-boom"]) {
    const failed = await entry(path);
    assert.equal(failed.name, `GET ${path.replace("7", ":org").replace("8", ":team")}`);
    assert.deepEqual([failed.hasError, failed.attributes["error.type"]], [true, "RangeError"]);
    assert.equal(failed.extra.events?.length, 1);
    assert.match(String(failed.extra.events?.[0]?.attributes["exception.message"]), /^too far/);
  }
});

test("Fastify: names are templates with prefixes; errors are recorded", async () => {
  const { default: Fastify } = await import("fastify");
  const app = Fastify({ serverFactory: (handler) => (web = new WebServer(handler)).server });
  app.get("/users/:id", async () => "ok");
  app.register(
    async (nested) => {
      nested.get("/items/:item", async () => "ok");
      nested.get("/boom", async () => {
        throw new RangeError("too far");
      });
    },
    { prefix: "/shops/:shop" },
  );
  await app.ready();
  await web.listen();
  assert.equal((await entry("/users/7")).name, "GET /users/:id");
  assert.equal((await entry("/shops/a/items/b")).name, "GET /shops/:shop/items/:item");
  assert.equal((await entry("/none")).name, "GET (unmatched)");
  assert.equal((await entry("/users/8", "HEAD")).name, "HEAD /users/:id");
  const failed = await entry("/shops/a/boom");
  assert.equal(failed.name, "GET /shops/:shop/boom");
  assert.deepEqual([failed.hasError, failed.attributes["error.type"]], [true, "RangeError"]);
  assert.equal(failed.extra.events?.[0]?.attributes["exception.message"], "too far");
});
