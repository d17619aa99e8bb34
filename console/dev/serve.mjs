/**
 * Serves dist/ with invented data in the shapes of docs/api.md, for work on the pages without a collector.
 * Usage: npm run dev -w console -- [port] [--empty] [--failing] [--login]. Never shipped.
 */
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { answer } from "./fixtures.mjs";

const dist = join(dirname(fileURLToPath(import.meta.url)), "../dist");
const port = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 8470);
const isEmpty = process.argv.includes("--empty");
const isFailing = process.argv.includes("--failing");
const isLoginNeeded = process.argv.includes("--login");
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname.startsWith("/api/"))
    void receive(request).then((body) => sendApi(url, request.method, body, response));
  else sendFile(url, response);
});

function sendFile(url, response) {
  const wanted = join(dist, normalize(url.pathname));
  const file = url.pathname.startsWith("/assets/") && existsSync(wanted) ? wanted : join(dist, "index.html");
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "text/plain",
    "content-security-policy": POLICY,
  });
  if (isLoginNeeded && file.endsWith("index.html"))
    response.end(readFileSync(file, "utf8").replace("<html", '<html data-login="needed"'));
  else createReadStream(file).pipe(response);
}

async function receive(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? null : JSON.parse(text);
}

function sendApi(url, method, sent, response) {
  const { status, body } =
    isFailing && !url.pathname.endsWith("/server")
      ? {
          status: 503,
          body: { error: { code: "STORE_BUSY", message: "the store cannot answer now; try again in 5 s" } },
        }
      : answer(url, { method, body: sent, isEmpty, nowMs: Date.now() });
  setTimeout(() => {
    response.writeHead(status, {
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
    });
    response.end(JSON.stringify(body));
  }, 30);
}

server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}`));
