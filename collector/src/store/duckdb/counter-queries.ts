import type { CounterQueries, CounterSum, TimeRange } from "../store.ts";
import type { Query } from "./database-client.ts";
import { IN_RANGE, stepSql } from "./sql-parts.ts";

export class DuckDbCounterQueries implements CounterQueries {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  async sums(app: string, range: TimeRange, stepSec: number, limit: number): Promise<CounterSum[]> {
    const rows = await this.#query(
      `WITH chosen AS (SELECT * FROM counters WHERE app = $app AND ${IN_RANGE}),
       names AS (SELECT DISTINCT counter FROM chosen ORDER BY counter LIMIT $limit)
       SELECT counter AS name, ${stepSql(stepSec)} AS "stepStartSec", sum(amount)::DOUBLE AS amount
       FROM chosen JOIN names USING (counter)
       GROUP BY counter, "stepStartSec" ORDER BY name, "stepStartSec"`,
      { app, from: range.fromSec, to: range.toSec, limit },
    );
    return rows as unknown as CounterSum[];
  }
}
