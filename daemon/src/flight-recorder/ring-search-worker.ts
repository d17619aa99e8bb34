/** Entry of the thread that searches the ring once and ends: reading and decoding megabytes would stall the intake. */
import { parentPort, workerData } from "node:worker_threads";
import { type RingQuestion, searchRing } from "./ring-search.ts";

if (!parentPort) throw new Error("ring-search-worker.ts runs as a worker thread only");
parentPort.postMessage(searchRing(workerData as RingQuestion), []);
