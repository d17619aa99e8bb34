import { parentPort, workerData } from "node:worker_threads";
import { type DatabaseOptions } from "./database.ts";
import { DatabaseKeeper } from "./database-keeper.ts";
import type { Call, Cancel, Reply, Request, WorkerMessage } from "./database-messages.ts";
import { type PackedRows, transferable } from "./packed-rows.ts";

/**
 * Entry of the worker thread that owns DuckDB: appending to it is synchronous and would stall HTTP and uplinks.
 * Takes requests from its parent and answers each once.
 */
const port = parentPort;
if (!port) throw new Error("database-worker.ts runs as a worker thread only");

const tell = (message: WorkerMessage): void =>
  port.postMessage(message, message.type === "rows" ? transferable(message.value) : []);
const keeper = new DatabaseKeeper(workerData as DatabaseOptions, {
  warn: (sentence) => tell({ type: "warning", sentence }),
  reopened: (committed) => tell({ type: "reopened", committed }),
});

/** Aborts a query whose asker has left. */
const queries = new Map<number, AbortController>();

port.on("message", (request: Request | Cancel) => {
  if ("cancelledId" in request) queries.get(request.cancelledId)?.abort();
  else void answer(request).then(tell);
});

async function answer(request: Request): Promise<Reply> {
  const { id, call } = request;
  try {
    if (call.method === "query") return { type: "rows", id, value: await query(id, call) };
    return { type: "reply", id, value: await run(call) };
  } catch (error) {
    const { message, code, retryAfterMs } = error as Error & { code?: string; retryAfterMs?: number };
    return { type: "failure", id, message, code, retryAfterMs };
  }
}

async function query(id: number, { sql, values, turn }: Call & { method: "query" }): Promise<PackedRows> {
  const left = new AbortController();
  queries.set(id, left);
  try {
    return await keeper.query(sql, values, { left: left.signal, turn });
  } finally {
    queries.delete(id);
  }
}

async function run(call: Exclude<Call, { method: "query" }>): Promise<unknown> {
  switch (call.method) {
    case "open":
      return await keeper.open(call.nowMs);
    case "write":
      return await keeper.write(call.batches, call.nowMs);
    case "addTraceParts":
      return await keeper.addTraceParts(call.parts, call.nowMs);
    case "checkHealth":
      return await keeper.checkHealth(call.nowMs);
    case "maintain":
      return await keeper.maintain(call.job, call.nowMs);
    case "size":
      return await keeper.size();
    case "close":
      return await keeper.close();
  }
  throw new TypeError(`there is no such call: ${JSON.stringify(call satisfies never)}`);
}
