// The smallest web app, in CommonJS, which all peers can instrument; on SIGUSR2 it prints what it has used so far.
const { createServer } = require("node:http");
const { watchUsage } = require("./usage.cjs");

const usage = watchUsage();
const server = createServer((_request, response) => {
  usage.requests++;
  response.setHeader("content-type", "text/plain");
  response.end("hello\n");
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
