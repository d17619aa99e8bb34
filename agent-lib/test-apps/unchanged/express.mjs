// What the guides and the reference of Express 4 and 5 promise.
import http from "node:http";
import { fileURLToPath } from "node:url";

const FILE = fileURLToPath(new URL("./express.mjs", import.meta.url));

export async function make(load) {
  const { default: express } = await load("express");
  const app = express();
  app.locals.title = "shop";
  app.use(express.json());
  app.use(express.urlencoded({ extended: false }));
  app.use((request, response, next) => {
    response.locals.began = true;
    response.append("X-Order", "first");
    next();
  });
  const order = (name) => (_request, response, next) => {
    response.append("X-Order", name);
    next();
  };
  app.get("/", (_request, response) => response.send("hello"));
  app.post("/echo", (request, response) => response.json(request.body));
  app.get("/query", (request, response) => response.json(request.query));
  app.get("/flights/:from-:to", (request, response) => response.json(request.params));
  app.get(/.*fly$/, (_request, response) => response.send("a regular expression"));
  app.get(["/one", "/two"], order("list"), (_request, response) => response.send("one of two"));
  app.get("/several", [order("a"), order("b")], order("c"), (_request, response) => response.send("several"));
  app.get(
    "/user/:id",
    (request, _response, next) => next(request.params.id === "0" ? "route" : undefined),
    (_request, response) => response.send("regular"),
  );
  app.get("/user/:id", (_request, response) => response.send("special"));
  app
    .route("/book")
    .get((_request, response) => response.send("a book"))
    .post((_request, response) => response.status(201).location("/book/1").send("made"));
  app.all("/secret", (request, response) => response.send(`secret ${request.method}`));
  const birds = express.Router();
  birds.use((request, _response, next) => {
    request.seen = `${request.baseUrl}|${request.url}|${request.originalUrl}`;
    next();
  });
  birds.param("bird", (request, _response, next, id) => {
    request.bird = id.toUpperCase();
    next();
  });
  birds.get("/:bird", (request, response) => response.send(`${request.bird} ${request.seen}`));
  birds.get("/leave/now", (_request, _response, next) => next("router"));
  birds.get("/leave/now", (_request, response) => response.send("never"));
  app.use("/birds", birds);
  const admin = express();
  admin.get("/", (_request, response) => response.send(`mounted at ${admin.mountpath}`));
  app.use("/admin", admin);
  app.use("/static", express.static(fileURLToPath(new URL(".", import.meta.url)), { lastModified: false }));
  app.get("/file", (_request, response) => response.sendFile(FILE, { lastModified: false }));
  app.get("/download", (_request, response) => response.download(FILE, "app.txt", { lastModified: false }));
  app.get("/cookie", (_request, response) =>
    response.cookie("name", "tobi", { path: "/admin", httpOnly: true }).clearCookie("old").sendStatus(200),
  );
  app.get("/redirect", (_request, response) => response.redirect(301, "/elsewhere"));
  app.get("/format", (_request, response) =>
    response.format({
      "text/plain": () => response.send("plain"),
      "text/html": () => response.send("<p>html</p>"),
      default: () => response.status(406).send("none"),
    }),
  );
  app.get("/jsonp", (_request, response) => response.jsonp({ user: "tobi" }));
  app.get("/links", (_request, response) =>
    response.links({ next: "/2" }).vary("User-Agent").type("xml").send("<a/>"),
  );
  app.get("/chunks", async (_request, response) => {
    response.write("a");
    setImmediate(() => response.end("b"));
  });
  app.get("/throws", () => {
    throw new Error("broken");
  });
  app.get("/teapot", (_request, _response, next) =>
    next(Object.assign(new Error("short and stout"), { status: 418 })),
  );
  app.get("/caught", (_request, _response, next) => next(new Error("caught")));
  app.use("/caught", (error, _request, response, _next) =>
    response.status(500).json({ error: error.message }),
  );
  return {
    server: http.createServer(app),
    facts: () => ({
      arity: [app.length, app.handle.length, app.use.length, birds.handle.length, birds.use.length],
      layers: (app._router ?? app.router).stack.map(({ name, route }) => [name, Object.keys(route ?? {})]),
      own: Object.keys(birds).sort(),
    }),
  };
}

const json = { "Content-Type": "application/json" };
export const asked = [
  ["GET /"],
  ["HEAD /"],
  ["OPTIONS /book"],
  ["GET /", { "If-None-Match": 'W/"5-qvTGHdzF6KLavt4PO0gs2a6pQ00"' }],
  ["POST /echo", json, '{"a":[1,{"b":null}]}'],
  ["POST /echo", json, "{broken"],
  ["POST /echo", { "Content-Type": "application/x-www-form-urlencoded" }, "a=1&b=%20"],
  ["GET /query?a=1&b=2&b=3"],
  ["GET /flights/LAX-SFO"],
  ["GET /butterfly"],
  ["GET /two"],
  ["GET /several"],
  ["GET /user/0"],
  ["GET /user/7"],
  ["GET /book"],
  ["POST /book"],
  ["PUT /secret"],
  ["GET /birds/wren?x=1"],
  ["GET /birds/leave/now"],
  ["GET /admin"],
  ["GET /static/express.mjs"],
  ["GET /static/none"],
  ["GET /file", { Range: "bytes=0-9" }],
  ["GET /download"],
  ["GET /cookie"],
  ["GET /redirect"],
  ["GET /format", { Accept: "text/html" }],
  ["GET /format", { Accept: "image/png" }],
  ["GET /jsonp?callback=foo"],
  ["GET /links"],
  ["GET /chunks"],
  ["GET /throws"],
  ["GET /teapot"],
  ["GET /caught"],
  ["GET /user/%E0%A4%A"],
  ["DELETE /none"],
];
