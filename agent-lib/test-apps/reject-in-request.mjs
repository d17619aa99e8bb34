// A handler rejects and nobody listens. With "handled" the app does, and answers with 500; else the process dies of it.
import http from "node:http";

const isHandled = process.argv[2] === "handled";
const answers = [];
if (isHandled)
  process.on("unhandledRejection", (reason) => {
    console.log(`handled ${reason.message}`);
    answers.shift().writeHead(500).end();
  });
const server = http.createServer(async (_request, response) => {
  answers.push(response);
  await new Promise((resolve) => setTimeout(resolve, 5));
  throw new TypeError("handler broke");
});
server.listen(0, "127.0.0.1", () => {
  http
    .get({ host: "127.0.0.1", port: server.address().port, path: "/crash", agent: false }, (response) => {
      console.log(response.statusCode);
      response.resume();
      server.close();
    })
    .on("error", () => undefined);
});
