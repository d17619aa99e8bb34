// The smallest web app, in CommonJS, which all peers can instrument; on SIGUSR2 prints CPU time and requests so far.
const { createServer } = require("node:http");

let requests = 0;
const server = createServer((_request, response) => {
  requests++;
  response.setHeader("content-type", "text/plain");
  response.end("hello\n");
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
process.on("SIGUSR2", () => {
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ cpuUs: user + system, requests, rssBytes: process.memoryUsage.rss() }));
});
