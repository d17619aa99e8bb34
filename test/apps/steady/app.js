// Answers HTTP, and counts what it is told to by /count/N. "look" on stdin: one line of JSON, what is in use after a full collection, for which it wants --expose-gc. "end" ends.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { metrics, status } from "@apm-daemon/agent";

const counted = metrics.counter("pages turned");
let answered = 0;
const server = createServer((request, response) => {
  answered++;
  if (request.url.startsWith("/count/")) counted.add(Number(request.url.slice("/count/".length)));
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

// A machine that has no time for this process for 5 s must not look like an idle connection.
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () =>
  console.log(`listening on http://127.0.0.1:${server.address().port}`),
);
