// A handler throws what nobody catches: the process dies while it answers.
import http from "node:http";

const server = http.createServer((request) => {
  if (request.url === "/crash")
    setTimeout(() => {
      throw new TypeError("handler broke");
    }, 10);
});
server.listen(0, "127.0.0.1", () => {
  const call = (path) =>
    http.get({ host: "127.0.0.1", port: server.address().port, path }).on("error", () => undefined);
  call("/waiting");
  call("/crash");
});
