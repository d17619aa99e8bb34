// An app that makes requests of its own at a steady pace and counts them itself: one server span and three calls each,
// recorded by hand as a user would. What it counted is in TRUTH_FILE; nothing of it comes from the agent but the number of
// spans that the agent says it dropped. SIGUSR2 ends the making, SIGTERM the process; in between it
// says when its daemon has acknowledged everything.
import { renameSync, writeFileSync } from "node:fs";
import { start, status } from "@apm-daemon/agent";
import { context, SpanKind, trace } from "@opentelemetry/api";

const SPANS_PER_REQUEST = 4;
const BEAT_MS = 10;
const TABLES = 20;
/** Longer than a span waits for its frame. */
const FLUSHED_MS = 500;
const requestsPerSecond = Number(process.env.SPANS_PER_SECOND) / SPANS_PER_REQUEST;
const requestsPerAction = Number(process.env.REQUESTS_PER_ACTION);
/** After so many actions the first one comes again. */
const maxActions = Number(process.env.MAX_ACTIONS);
const truthFile = process.env.TRUTH_FILE;
const ringBytes = Number(process.env.RING_BYTES);

start(ringBytes > 0 ? { ringBytes } : {});

const tracer = trace.getTracer("counter");
const truth = { requests: 0, spans: 0, actions: {}, operations: {} };

function add(counts, name) {
  counts[name] = (counts[name] ?? 0) + 1;
}

function call(system, operation, table, text) {
  const span = tracer.startSpan(`${operation} ${table}`, { kind: SpanKind.CLIENT });
  span.setAttribute("db.system.name", system);
  span.setAttribute("db.operation.name", operation);
  span.setAttribute("db.collection.name", table);
  span.setAttribute("db.query.text", text);
  span.setAttribute("server.address", "db.example");
  span.end();
  add(truth.operations, `${system} ${operation} ${table}`);
}

/** The action names a block of requests, so that a lost request of one block and a doubled one of another both show. */
function request(n) {
  const block = Math.floor(n / requestsPerAction) % maxActions;
  const route = `/block/${block}`;
  const span = tracer.startSpan(`GET ${route}`, { kind: SpanKind.SERVER, root: true });
  span.setAttribute("http.request.method", "GET");
  span.setAttribute("http.route", route);
  context.with(trace.setSpan(context.active(), span), () => {
    const table = `t${block % TABLES}`;
    call("postgresql", "SELECT", table, `SELECT name FROM ${table} WHERE id = $1`);
    call("mysql", "UPDATE", table, `UPDATE ${table} SET name = ? WHERE id = ?`);
    call("redis", "GET", table, `GET ${table}`);
  });
  span.setAttribute("http.response.status_code", 200);
  span.end();
  truth.requests++;
  truth.spans += SPANS_PER_REQUEST;
  add(truth.actions, `GET ${route}`);
}

/** Whole or not at all: whoever reads it never sees half a file. */
function writeTruth() {
  writeFileSync(`${truthFile}.tmp`, JSON.stringify({ ...truth, agent: status() }));
  renameSync(`${truthFile}.tmp`, truthFile);
}

const startMs = performance.now();
const beat = setInterval(() => {
  const due = Math.floor(((performance.now() - startMs) / 1_000) * requestsPerSecond);
  while (truth.requests < due) request(truth.requests);
}, BEAT_MS);
const noting = setInterval(writeTruth, 1_000);

process.on("SIGUSR2", () => {
  clearInterval(beat);
  clearInterval(noting);
  writeTruth();
  console.log("made its last request");
  setTimeout(tellWhenHandedOver, FLUSHED_MS);
});

function tellWhenHandedOver() {
  if (status().framesUnacknowledged > 0) setTimeout(tellWhenHandedOver, FLUSHED_MS);
  else console.log("handed over");
}

// Neither signal handlers nor the agent keep a process alive.
const staying = setInterval(() => {}, 60_000);
process.on("SIGTERM", () => {
  clearInterval(staying);
  process.exit(0);
});
writeTruth();
console.log("makes requests");
