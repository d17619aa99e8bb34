// A paced load of spans through @opentelemetry/api: requests of one server span and three database spans, five
// attributes each. Prints the CPU time of the measured part. With SPANS=0 the same work without any span: the base.
import { context, SpanKind, trace } from "@opentelemetry/api";

const REQUESTS_PER_BEAT = 50;
const BEAT_MS = 10;
const WARM_UP_MS = 3_000;
const seconds = Number(process.env.SECONDS ?? 5);
const hasSpans = process.env.SPANS === "1";
const tracer = trace.getTracer("bench");
let made = 0;

async function query(id) {
  return id & 7;
}

async function handleBare(id) {
  let sum = 0;
  for (let i = 0; i < 3; i++) sum += await query(id + i);
  return sum;
}

async function handleTraced(id) {
  const span = tracer.startSpan("GET /users/:id", { kind: SpanKind.SERVER, root: true });
  span.setAttribute("http.request.method", "GET");
  span.setAttribute("http.route", "/users/:id");
  span.setAttribute("url.path", `/users/${id % 1000}`);
  span.setAttribute("server.address", "shop.example");
  await context.with(trace.setSpan(context.active(), span), async () => {
    for (let i = 0; i < 3; i++) {
      const child = tracer.startSpan("SELECT shop.users", { kind: SpanKind.CLIENT });
      child.setAttribute("db.system.name", "postgresql");
      child.setAttribute("db.namespace", "shop");
      child.setAttribute("db.query.text", "SELECT id, name, mail FROM users WHERE id = $1");
      child.setAttribute("server.address", "db.example");
      child.setAttribute("server.port", 5432);
      await query(id + i);
      child.end();
    }
  });
  span.setAttribute("http.response.status_code", 200);
  span.end();
}

const handle = hasSpans ? handleTraced : handleBare;

async function pace(durationMs) {
  const start = performance.now();
  let beats = 0;
  while (performance.now() - start < durationMs) {
    const due = Math.floor((performance.now() - start) / BEAT_MS);
    for (; beats <= due; beats++) {
      for (let i = 0; i < REQUESTS_PER_BEAT; i++) await handle(made++);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

await pace(WARM_UP_MS);
const before = made;
const cpu = process.cpuUsage();
await pace(seconds * 1_000);
const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({ cpuUs: user + system, requests: made - before, rssBytes: process.memoryUsage.rss() }),
);
process.exit(0);
