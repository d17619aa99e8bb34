import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { StoreError } from "../store-error.ts";
import { hasTooManyCells, type PackedRows, packedRows } from "./packed-rows.ts";

export interface QueryGateOptions {
  timeoutMs: number;
  maxWaiting: number;
}

export interface QueryAsker {
  left: AbortSignal;
  /** Who has the lowest of those who wait is served first. Absent askers have 0. */
  turn: number;
}

/**
 * Runs queries on a fixed set of connections, one each at a time; others wait in line. More at once would fill the
 * thread pool, and file reads of the whole process would wait for seconds behind them. A call asks several one after the other: all of one that came
 * earlier run before those of a later one, so that none waits in line again and again.
 */
export class QueryGate {
  readonly #idle: DuckDBConnection[];
  readonly #connections: number;
  readonly #options: QueryGateOptions;
  readonly #waiting: Waiting[] = [];
  readonly #running: Set<RunningQuery> = new Set();

  constructor(connections: readonly DuckDBConnection[], options: QueryGateOptions) {
    this.#idle = [...connections];
    this.#connections = connections.length;
    this.#options = options;
  }

  /**
   * Throws BUSY when the line is too long, TIMEOUT when it was interrupted or is too much, CANCELLED when `left` aborts:
   * what waits then never begins, what runs is interrupted.
   */
  async run(
    sql: string,
    values: Record<string, DuckDBValue>,
    { left, turn }: Partial<QueryAsker> = {},
  ): Promise<PackedRows> {
    const connection = await this.#take(left, turn);
    const running = new RunningQuery(connection);
    this.#running.add(running);
    let timedOut = false;
    const cancel = (): void => running.interrupt();
    left?.addEventListener("abort", cancel);
    // Between the end of the wait and here it may have aborted.
    if (left?.aborted) cancel();
    const timer = setTimeout(() => {
      timedOut = true;
      running.interrupt();
    }, this.#options.timeoutMs);
    try {
      return await packedRows(await connection.run(sql, values));
    } catch (cause) {
      if (left?.aborted) throw cancelledError();
      if (timedOut) throw timeoutError(this.#options.timeoutMs, cause);
      if (hasTooManyCells(cause)) throw tooMuchError(cause);
      throw cause;
    } finally {
      clearTimeout(timer);
      left?.removeEventListener("abort", cancel);
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

  async #take(left?: AbortSignal, turn: number = 0): Promise<DuckDBConnection> {
    if (left?.aborted) throw cancelledError();
    return this.#idle.pop() ?? (await this.#wait(left, turn));
  }

  #wait(left: AbortSignal | undefined, turn: number): Promise<DuckDBConnection> {
    if (this.#waiting.length >= this.#options.maxWaiting)
      throw new StoreError("BUSY", "too many queries are waiting; try again in a few seconds", 2_000);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { turn, resolve, reject };
      const before = this.#waiting.findLastIndex((other) => other.turn <= turn);
      this.#waiting.splice(before + 1, 0, waiting);
      left?.addEventListener(
        "abort",
        () => {
          const place = this.#waiting.indexOf(waiting);
          if (place < 0) return;
          this.#waiting.splice(place, 1);
          reject(cancelledError());
        },
        { once: true },
      );
    });
  }

  #giveBack(connection: DuckDBConnection): void {
    const next = this.#waiting.shift();
    if (next) next.resolve(connection);
    else this.#idle.push(connection);
  }
}

interface Waiting {
  turn: number;
  resolve(connection: DuckDBConnection): void;
  reject(error: Error): void;
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

function tooMuchError(cause: unknown): StoreError {
  const sentence =
    "the query would add up too many histograms for the collector's memory; ask for a shorter time range";
  return new StoreError("TIMEOUT", sentence, 5_000, { cause });
}

function cancelledError(): StoreError {
  return new StoreError("CANCELLED", "who asked has left", 0);
}

function closedError(): StoreError {
  return new StoreError("UNAVAILABLE", "the store is being closed", 5_000);
}
