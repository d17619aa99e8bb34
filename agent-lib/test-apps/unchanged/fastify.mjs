// What the guides and the reference of Fastify 4 and 5 promise.
import http from "node:http";
import { Readable } from "node:stream";

export async function make(load) {
  const { default: fastify } = await load("fastify");
  let server;
  const app = fastify({
    bodyLimit: 100,
    serverFactory: (handler) => {
      server = http.createServer(handler);
      return server;
    },
  });
  const order = [];
  for (const hook of [
    "onRequest",
    "preParsing",
    "preValidation",
    "preHandler",
    "preSerialization",
    "onSend",
    "onResponse",
    "onError",
  ])
    app.addHook(hook, async (request) => {
      if (request.raw.url === "/order" || request.raw.url === "/order-broken") order.push(hook);
    });
  app.decorate("shop", () => "shop");
  app.decorateRequest("user", "");
  app.decorateReply("hi", function () {
    return this.send("hi");
  });
  app.get("/", async () => ({ hello: "world" }));
  app.get("/order", async () => ({ a: 1 }));
  app.get("/order-broken", async () => {
    throw new Error("broken");
  });
  app.get("/callback", (_request, reply) =>
    reply.code(201).header("x-a", "b").type("text/plain").send("called"),
  );
  app.get("/decorated", (_request, reply) => reply.hi());
  app.get("/user/:id", async (request) => request.params);
  app.get("/wild/*", async (request) => request.params);
  app.get("/re/:file(^\\d+).png", async (request) => request.params);
  app.get("/query", async (request) => request.query);
  app.post("/echo", async (request) => request.body);
  const schema = {
    querystring: { type: "object", properties: { n: { type: "integer", minimum: 1 } }, required: ["n"] },
    response: { 200: { type: "object", properties: { n: { type: "number" } } } },
  };
  app.get("/schema", { schema }, async (request) => ({ n: request.query.n, hidden: true }));
  app.get("/redirect", (_request, reply) => {
    reply.code(302).header("location", "/elsewhere").send();
  });
  app.get("/stream", (_request, reply) =>
    reply.type("text/plain").send(Readable.from(["a", "b", "c"].map((part) => Buffer.from(part)))),
  );
  app.get("/buffer", async () => Buffer.from([1, 2, 3]));
  app.get("/nothing", async (_request, reply) => reply.code(204).send());
  app.get("/hijacked", (_request, reply) => {
    reply.hijack();
    reply.raw.end("by hand");
  });
  app.get("/throws", async () => {
    throw new TypeError("broken");
  });
  app.get("/teapot", async () => {
    throw Object.assign(new Error("short and stout"), { statusCode: 418, code: "TEAPOT" });
  });
  app.route({ method: ["PUT", "PATCH"], url: "/both", handler: async (request) => request.method });
  app.addContentTypeParser("text/csv", { parseAs: "string" }, (_request, body, done) =>
    done(null, body.split(",")),
  );
  app.register(
    async (nested) => {
      nested.addHook("preHandler", async (request) => {
        request.user = "nested";
      });
      nested.setErrorHandler((error, _request, reply) => reply.code(500).send({ own: error.message }));
      nested.setNotFoundHandler((_request, reply) => reply.code(404).send("nested: none"));
      nested.get("/who", async (request) => request.user);
      nested.get("/throws", async () => {
        throw new Error("inside");
      });
    },
    { prefix: "/nested" },
  );
  app.get("/who", async (request) => request.user || "nobody");
  await app.ready();
  const injected = await app.inject({ method: "GET", url: "/user/7?x=1" });
  return {
    server,
    facts: () => ({
      order,
      injected: [injected.statusCode, injected.body, Object.keys(injected.headers)],
      routes: app.printRoutes({ includeHooks: false }),
      has: [
        app.hasRoute({ method: "GET", url: "/user/:id" }),
        app.hasDecorator("shop"),
        app.hasRequestDecorator("user"),
      ],
    }),
  };
}

const json = { "Content-Type": "application/json" };
export const asked = [
  ["GET /"],
  ["HEAD /"],
  ["GET /order"],
  ["GET /order-broken"],
  ["GET /callback"],
  ["GET /decorated"],
  ["GET /user/7"],
  ["GET /wild/a/b"],
  ["GET /re/12.png"],
  ["GET /re/ab.png"],
  ["GET /query?a=1&b=2&b=3"],
  ["POST /echo", json, '{"a":[1,{"b":null}]}'],
  ["POST /echo", json, "{broken"],
  ["POST /echo", json, `"${"x".repeat(200)}"`],
  ["POST /echo", { "Content-Type": "text/csv" }, "a,b"],
  ["POST /echo", { "Content-Type": "text/unknown" }, "a,b"],
  ["GET /schema?n=2"],
  ["GET /schema?n=0"],
  ["GET /schema"],
  ["GET /redirect"],
  ["GET /stream"],
  ["GET /buffer"],
  ["GET /nothing"],
  ["GET /hijacked"],
  ["GET /throws"],
  ["GET /teapot"],
  ["PATCH /both"],
  ["GET /nested/who"],
  ["GET /nested/throws"],
  ["GET /nested/none"],
  ["GET /who"],
  ["OPTIONS /who"],
  ["GET /%E0%A4%A"],
  ["DELETE /none"],
];
