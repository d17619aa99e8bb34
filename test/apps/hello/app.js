"use strict";
// The smallest web app: no framework, no database.
const { createServer } = require("node:http");

const server = createServer((_req, res) => {
  res.end("hello\n");
});

server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
