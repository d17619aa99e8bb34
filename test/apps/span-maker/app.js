// Makes spans on command, and says how many: "make N" makes N requests with one database call each, "end" ends.
import { createInterface } from "node:readline";
import { SpanKind, trace } from "@opentelemetry/api";

const tracer = trace.getTracer("span-maker");
let made = 0;

function makeRequest() {
  tracer.startActiveSpan("job", (job) => {
    tracer
      .startSpan("SELECT stock", {
        kind: SpanKind.CLIENT,
        attributes: { "db.system.name": "postgresql", "db.query.text": "SELECT count FROM stock" },
      })
      .end();
    job.end();
  });
  made += 2;
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [command, count] = line.split(" ");
    if (command === "end") process.exit(0);
    for (let i = 0; i < Number(count); i++) makeRequest();
    console.log(`made ${made}`);
  })
  .on("close", () => process.exit(0));
console.log("ready");
