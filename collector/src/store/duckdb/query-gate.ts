import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { StoreError } from "../store-error.ts";

export type ResultRow = Record<string, unknown>;

export interface QueryGateOptions {
  timeoutMs: number;
  maxWaiting: number;
}

/**
 * Runs queries on a fixed set of connections, one each at a time; others wait in line. More at once would fill the
 * thread pool, and file reads of the whole process would wait for seconds behind them.
 */
export class QueryGate {
  readonly #idle: DuckDBConnection[];
  readonly #connections: number;
  readonly #options: QueryGateOptions;
  readonly #waiting: { resolve(connection: DuckDBConnection): void; reject(error: Error): void }[] = [];
  readonly #running: Set<RunningQuery> = new Set();

  constructor(connections: readonly DuckDBConnection[], options: QueryGateOptions) {
    this.#idle = [...connections];
    this.#connections = connections.length;
    this.#options = options;
  }

  /** Rows as plain objects. Throws BUSY when the line is too long, TIMEOUT when it was interrupted. */
  async run(sql: string, values: Record<string, DuckDBValue>): Promise<ResultRow[]> {
    const connection = await this.#take();
    const running = new RunningQuery(connection);
    this.#running.add(running);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      running.interrupt();
    }, this.#options.timeoutMs);
    try {
      return (await connection.runAndReadAll(sql, values)).getRowObjectsJS();
    } catch (cause) {
      if (timedOut) throw timeoutError(this.#options.timeoutMs, cause);
      throw cause;
    } finally {
      clearTimeout(timer);
      running.end();
      this.#running.delete(running);
      this.#giveBack(connection);
    }
  }

  /** Interrupts what runs, refuses what waits, and disconnects once every connection is idle. */
  async close(): Promise<void> {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(closedError());
    for (const running of this.#running) running.interrupt();
    const all: DuckDBConnection[] = [];
    while (all.length < this.#connections) all.push(await this.#take());
    for (const connection of all) connection.disconnectSync();
  }

  async #take(): Promise<DuckDBConnection> {
    return this.#idle.pop() ?? (await this.#wait());
  }

  #wait(): Promise<DuckDBConnection> {
    if (this.#waiting.length >= this.#options.maxWaiting)
      throw new StoreError("BUSY", "too many queries are waiting; try again in a few seconds", 2_000);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #giveBack(connection: DuckDBConnection): void {
    const next = this.#waiting.shift();
    if (next) next.resolve(connection);
    else this.#idle.push(connection);
  }
}

const INTERRUPT_AGAIN_MS = 20;

class RunningQuery {
  readonly #connection: DuckDBConnection;
  #timer: NodeJS.Timeout | null = null;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** DuckDB forgets an interrupt that comes before the query has begun, so it is repeated until the end. */
  interrupt(): void {
    this.#connection.interrupt();
    this.#timer ??= setInterval(() => this.#connection.interrupt(), INTERRUPT_AGAIN_MS);
  }

  end(): void {
    if (this.#timer) clearInterval(this.#timer);
  }
}

function timeoutError(timeoutMs: number, cause: unknown): StoreError {
  const sentence = `the query took more than ${timeoutMs / 1000} s; ask for a shorter time range`;
  return new StoreError("TIMEOUT", sentence, 5_000, { cause });
}

function closedError(): StoreError {
  return new StoreError("UNAVAILABLE", "the store is being closed", 5_000);
}
