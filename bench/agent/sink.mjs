// Takes what the peers' exporters send and throws it away; prints its port. GET /bytes tells how much it was.
import { createServer } from "node:http";

let bytes = 0;
const server = createServer((request, response) => {
  if (request.url === "/bytes") {
    response.end(String(bytes));
    return;
  }
  request.on("data", (chunk) => {
    bytes += chunk.length;
  });
  request.on("end", () => {
    const isDatadog = request.url.startsWith("/v0.");
    // Elastic's agent sends one endless request after the other and asks for the server's version first.
    if (request.url === "/") {
      response.end('{"version":"8.15.0"}');
      return;
    }
    response.writeHead(200, { "content-type": isDatadog ? "application/json" : "application/x-protobuf" });
    response.end(isDatadog ? '{"rate_by_service":{}}' : "");
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
