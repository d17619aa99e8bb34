"use strict";
// One hop of several, as a user would write it: a query of its own, told by hand, then a call to the next hop if there is one.
const { createServer } = require("node:http");
const { setTimeout: sleep } = require("node:timers/promises");
const { SpanKind, trace } = require("@opentelemetry/api");

const { PORT = "0", NEXT_URL = "" } = process.env;
const tracer = trace.getTracer("relay");

function query() {
  const attributes = {
    "db.system.name": "postgresql",
    "db.operation.name": "SELECT",
    "db.query.text": "SELECT id, owner, weight_in_grams FROM parcels WHERE destination = ? ORDER BY id",
  };
  return tracer.startActiveSpan("SELECT parcels", { kind: SpanKind.CLIENT, attributes }, async (span) => {
    await sleep(2);
    span.end();
  });
}

async function passOn(req, res) {
  try {
    const answer = await fetch(`${NEXT_URL}${req.url}`);
    res.statusCode = answer.status;
    res.end(await answer.text());
  } catch {
    res.statusCode = 502;
    res.end("the next hop does not answer\n");
  }
}

const server = createServer(async (req, res) => {
  await query();
  if (NEXT_URL !== "") return await passOn(req, res);
  const [, heldMs] = /^\/hold\/(\d+)$/.exec(req.url) ?? [];
  if (heldMs !== undefined) await sleep(Number(heldMs), undefined, { ref: false });
  return res.end("delivered\n");
});

server.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
