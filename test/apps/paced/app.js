// Answers HTTP and makes spans at a steady rate. "pace RATE SECONDS" on stdin begins; at its end one line of JSON says how
// many spans there were, how far the agent's memory went, and how late timers were. "end" ends. Works without an agent too.
import { createServer } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@apm-daemon/agent";
import { SpanKind, trace } from "@opentelemetry/api";

const BEAT_MS = 10;
const DELAY_RESOLUTION_MS = 1;
const tracer = trace.getTracer("paced");
const text = "-".repeat(Number(process.env.TEXT_CHARS ?? 0));
let made = 0;
const most = { bufferBytes: 0, writableLength: 0, arrayBuffers: 0, rssBytes: 0 };

function makeSpan() {
  const span = tracer.startSpan("work", { kind: SpanKind.CONSUMER });
  span.setAttribute("number", made);
  if (text !== "") span.setAttribute("text", `${made}${text}`);
  span.end();
  made++;
}

function look() {
  const sockets = globalThis.clientSockets ?? [];
  const now = {
    bufferBytes: status()?.bufferBytes ?? 0,
    writableLength: Math.max(0, ...sockets.map(({ writableLength }) => writableLength)),
    arrayBuffers: process.memoryUsage().arrayBuffers,
    rssBytes: process.memoryUsage.rss(),
  };
  for (const key of Object.keys(now)) most[key] = Math.max(now[key], most[key]);
}

async function pace(rate, seconds) {
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const startMs = performance.now();
  const before = made;
  const cpu = process.cpuUsage();
  for (let dueMs = 0; dueMs < seconds * 1_000; ) {
    await sleep(BEAT_MS);
    dueMs = performance.now() - startMs;
    const due = Math.min(rate * seconds, Math.floor((dueMs / 1_000) * rate));
    while (made - before < due) makeSpan();
    look();
  }
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  const loopDelayP99Ms = Math.max(0, delay.percentile(99) / 1e6 - DELAY_RESOLUTION_MS);
  const dropped = status()?.spansDropped ?? 0;
  console.log(JSON.stringify({ made, dropped, ...most, loopDelayP99Ms, cpuMs: (user + system) / 1_000 }));
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [command, rate, seconds] = line.split(" ");
    if (command === "end") process.exit(0);
    void pace(Number(rate), Number(seconds));
  })
  .on("close", () => process.exit(0));

const server = createServer((request, response) => {
  response.setHeader("x-path", request.url);
  response.end(`hello ${request.url}\n`);
});
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
