// One span in the main thread, in a worker thread and in a forked process each.
import { fork } from "node:child_process";
import { isMainThread, Worker } from "node:worker_threads";
import { trace } from "@opentelemetry/api";

const { filename } = import.meta;
const isFork = process.argv[2] === "fork";
trace
  .getTracer("workers")
  .startSpan(isFork ? "fork" : isMainThread ? "main" : "thread")
  .end();
if (isMainThread && !isFork) {
  const worker = new Worker(filename);
  worker.on("error", (error) => console.error(error));
  fork(filename, ["fork"]);
}
