// Answers HTTP. "look" on stdin: one line of JSON, what is in use after a full collection, for which it wants --expose-gc. "end" ends.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { status } from "@apm-daemon/agent";

let answered = 0;
const server = createServer((_request, response) => {
  answered++;
  response.setHeader("content-type", "text/plain");
  response.end("hello\n");
});

function look() {
  globalThis.gc();
  const { heapUsed, rss, arrayBuffers, external } = process.memoryUsage();
  const agent = status();
  return {
    answered,
    heapUsedBytes: heapUsed,
    rssBytes: rss,
    externalBytes: external,
    arrayBuffersBytes: arrayBuffers,
    spansCreated: agent?.spansCreated ?? 0,
    spansDropped: agent?.spansDropped ?? 0,
  };
}

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "look") console.log(JSON.stringify(look()));
  else if (line === "end") process.exit(0);
});

server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
