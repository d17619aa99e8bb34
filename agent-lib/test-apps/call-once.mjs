import http from "node:http";

/** Listens, sends one request, prints the answer, closes. */
export function callOnce(server, path) {
  server.listen(0, "127.0.0.1", () => {
    http.get({ host: "127.0.0.1", port: server.address().port, path, agent: false }, (response) => {
      response.on("data", (chunk) => console.log(response.statusCode, chunk.toString()));
      response.on("end", () => server.close());
    });
  });
}
