// The app of web.mjs as CommonJS.
const http = require("node:http");
const express = require("express");

const orgs = express.Router();
orgs.get("/users/:id", (request, response) => response.send(request.params.id));
const app = express();
app.use("/orgs/:org", orgs);
const server = http.createServer(app);
server.listen(0, "127.0.0.1", () => {
  const path = "/orgs/acme/users/7?token=canary";
  http.get({ host: "127.0.0.1", port: server.address().port, path, agent: false }, (response) => {
    response.on("data", (chunk) => console.log(response.statusCode, chunk.toString()));
    response.on("end", () => server.close());
  });
});
