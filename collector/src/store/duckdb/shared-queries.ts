import { StoreError } from "../store-error.ts";
import type { SqlValues } from "./database-messages.ts";
import type { ResultRow } from "./packed-rows.ts";

/** Runs one SELECT with bound values; interrupted when `left` aborts. */
export type RunQuery = (sql: string, values: SqlValues, left: AbortSignal) => Promise<ResultRow[]>;

/**
 * Queries that are the same and come while the first of them runs get its answer: the parts of a page ask for much of the
 * same at the same moment. Rows are shared, so nobody may change them. Nobody gets an answer from before `forget`.
 */
export class SharedQueries {
  readonly #run: RunQuery;
  #flights: Map<string, Flight> = new Map();

  constructor(run: RunQuery) {
    this.#run = run;
  }

  /** Rejects with CANCELLED when `left` aborts; the query itself is interrupted when all who wait for it have left. */
  async query(sql: string, values: SqlValues, left: AbortSignal | undefined): Promise<ResultRow[]> {
    const key = JSON.stringify([sql, values]);
    const flight = this.#flights.get(key) ?? this.#start(key, sql, values);
    return await flight.join(left);
  }

  /** Something was written: from here on, queries begin anew. */
  forget(): void {
    this.#flights = new Map();
  }

  #start(key: string, sql: string, values: SqlValues): Flight {
    const flights = this.#flights;
    const flight = new Flight((left) => this.#run(sql, values, left));
    flights.set(key, flight);
    const end = (): void => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    flight.onDeserted = end;
    flight.rows.then(end, end);
    return flight;
  }
}

/** One query and those who wait for it. */
class Flight {
  readonly rows: Promise<ResultRow[]>;
  onDeserted: () => void = () => undefined;
  readonly #deserted = new AbortController();
  #waiting = 0;

  constructor(run: (left: AbortSignal) => Promise<ResultRow[]>) {
    this.rows = run(this.#deserted.signal);
  }

  async join(left: AbortSignal | undefined): Promise<ResultRow[]> {
    this.#waiting++;
    const leaving = new Leaving(left);
    try {
      return await Promise.race([this.rows, leaving.told]);
    } finally {
      leaving.end();
      if (--this.#waiting === 0) {
        this.onDeserted();
        this.#deserted.abort();
      }
    }
  }
}

/** `told` rejects when who asked leaves, until `end`. */
class Leaving {
  readonly told: Promise<never>;
  end: () => void = () => undefined;

  constructor(left: AbortSignal | undefined) {
    this.told = new Promise((_, reject) => {
      if (left === undefined) return;
      const leave = (): void => reject(new StoreError("CANCELLED", "who asked has left", 0));
      if (left.aborted) leave();
      left.addEventListener("abort", leave);
      this.end = () => left.removeEventListener("abort", leave);
    });
  }
}
