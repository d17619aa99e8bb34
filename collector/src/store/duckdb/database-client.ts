import { Worker } from "node:worker_threads";
import { askerLeft, askerTurn } from "../asker.ts";
import { type BatchRange } from "../batch-index.ts";
import { StoreError, type StoreErrorCode } from "../store-error.ts";
import type { DatabaseOptions } from "./database.ts";
import type { Call, Cancel, SqlValues, WorkerMessage } from "./database-messages.ts";
import { type PackedRows, type ResultRow, unpackedRows } from "./packed-rows.ts";
import { SharedQueries } from "./shared-queries.ts";

/** Runs one SELECT with bound values. Rejects with StoreError. */
export type Query = (sql: string, values: SqlValues) => Promise<ResultRow[]>;

const RETRY_AFTER_MS = 5_000;

export interface DatabaseEvents {
  warn: (sentence: string) => void;
  reopened(committed: BatchRange[]): void;
}

/** The main thread's end of the thread that owns DuckDB. An error thrown there outside of a call ends the process. */
export class DatabaseClient {
  readonly #worker: Worker;
  readonly #events: DatabaseEvents;
  readonly #pending: Map<number, { resolve(value: unknown): void; reject(error: Error): void }> = new Map();
  readonly #queries: SharedQueries = new SharedQueries((sql, values, left) => this.#run(sql, values, left));
  #nextId = 1;
  #closed = false;

  constructor(options: DatabaseOptions, events: DatabaseEvents) {
    this.#events = events;
    this.#worker = new Worker(new URL("./database-worker.js", import.meta.url), { workerData: options });
    this.#worker.on("message", (message: WorkerMessage) => this.#receive(message));
  }

  async call<T>(call: Call): Promise<T> {
    if (this.#closed) throw new StoreError("UNAVAILABLE", "the store is closed", RETRY_AFTER_MS);
    const id = this.#nextId++;
    const answer = new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve: (value) => resolve(value as T), reject });
      this.#worker.postMessage({ id, call }, []);
    });
    if (call.method === "query") return await answer;
    try {
      return await answer;
    } finally {
      // Whoever knows of it must see it.
      this.#queries.forget();
    }
  }

  query: Query = (sql, values) => this.#queries.query(sql, values, askerLeft());

  async #run(sql: string, values: SqlValues, left: AbortSignal): Promise<ResultRow[]> {
    const id = this.#nextId;
    const rows = this.call<PackedRows>({ method: "query", sql, values, turn: askerTurn() });
    const cancel = (): void => this.#worker.postMessage({ cancelledId: id } satisfies Cancel, []);
    if (left.aborted) cancel();
    left.addEventListener("abort", cancel);
    try {
      return unpackedRows(await rows);
    } finally {
      left.removeEventListener("abort", cancel);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.call({ method: "close" });
    this.#closed = true;
    await this.#worker.terminate();
  }

  #receive(message: WorkerMessage): void {
    if (message.type === "warning") return this.#events.warn(message.sentence);
    if (message.type === "reopened") return this.#events.reopened(message.committed);
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.type === "reply" || message.type === "rows") return pending?.resolve(message.value);
    const code = (message.code as StoreErrorCode | undefined) ?? "UNAVAILABLE";
    pending?.reject(new StoreError(code, message.message, message.retryAfterMs ?? RETRY_AFTER_MS));
  }
}
