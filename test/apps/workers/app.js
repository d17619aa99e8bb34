// Eight of each: cluster workers that share a port, forked processes, worker threads. Each makes spans of its own and says
// which instance it is. "MODE COUNT" are the arguments; HTTP answers tell nothing of who answered.
import { fork } from "node:child_process";
import cluster from "node:cluster";
import { createServer } from "node:http";
import { isMainThread, threadId, Worker } from "node:worker_threads";
import { status } from "@apm-daemon/agent";
import { SpanKind, trace } from "@opentelemetry/api";

const SPANS = 500;
const [, script, mode, count] = process.argv;
const tracer = trace.getTracer("workers");

function work() {
  for (let i = 0; i < SPANS; i++) tracer.startSpan("work", { kind: SpanKind.CONSUMER }).end();
  const agent = status();
  console.log(
    `worker ${agent?.instance ?? "without an agent"} ${process.pid} ${threadId} ${agent?.spansCreated}`,
  );
}

if (mode === "thread" && isMainThread) {
  const threads = Array.from({ length: Number(count) }, () => new Worker(script, { argv: [mode, "0"] }));
  for (const thread of threads) thread.on("error", (error) => console.error(error));
} else if (mode === "fork" && count !== "0") {
  for (let i = 0; i < Number(count); i++) fork(script, [mode, "0"]);
} else if (mode === "cluster" && cluster.isPrimary) {
  let listening = 0;
  cluster.on("listening", (_worker, { port }) => {
    if (++listening === Number(count)) console.log(`listening on http://127.0.0.1:${port}`);
  });
  for (let i = 0; i < Number(count); i++) cluster.fork();
  process.on("SIGUSR2", () => cluster.disconnect());
} else {
  work();
  if (mode === "cluster")
    createServer((_request, response) => response.end("hello\n")).listen(0, "127.0.0.1");
}
