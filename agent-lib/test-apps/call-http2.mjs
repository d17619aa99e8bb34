// Calls itself once by HTTP/2, at once and with functions imported by name.
import { connect, createServer } from "node:http2";

const server = createServer((request, response) => response.end(request.headers["x-asked"]));
server.listen(0, "127.0.0.1", () => {
  const session = connect(`http://127.0.0.1:${server.address().port}`);
  const stream = session.request({ ":path": "/only", "x-asked": "yes" });
  stream.on("response", (headers) => console.log(headers[":status"]));
  stream.on("data", (chunk) => console.log(chunk.toString()));
  stream.on("close", () => {
    session.close();
    server.close();
  });
});
