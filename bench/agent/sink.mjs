// Takes what the peers' exporters send and throws it away; prints its port.
import { createServer } from "node:http";

const server = createServer((request, response) => {
  request.resume().on("end", () => {
    const isDatadog = request.url.startsWith("/v0.");
    response.writeHead(200, { "content-type": isDatadog ? "application/json" : "application/x-protobuf" });
    response.end(isDatadog ? '{"rate_by_service":{}}' : "");
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
