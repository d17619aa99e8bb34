/** Entry of the thread that searches the ring: reading and decoding megabytes would stall the intake. One answer a question. */
import { parentPort } from "node:worker_threads";
import { type RingQuestion, searchRing } from "./ring-search.ts";

const port = parentPort;
if (!port) throw new Error("ring-search-worker.ts runs as a worker thread only");
port.on("message", (question: RingQuestion) => port.postMessage(searchRing(question), []));
