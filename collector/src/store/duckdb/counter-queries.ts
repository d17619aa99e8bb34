import type { CounterQueries, CounterSum, TimeRange } from "../store.ts";
import type { Query } from "./database-client.ts";
import { stepSql } from "./sql-parts.ts";
import type { Tiers } from "./tier.ts";

export class DuckDbCounterQueries implements CounterQueries {
  readonly #query: Query;
  readonly #tiers: Tiers;

  constructor(query: Query, tiers: Tiers) {
    this.#query = query;
    this.#tiers = tiers;
  }

  async sums(app: string, range: TimeRange, stepSec: number, limit: number): Promise<CounterSum[]> {
    const rows = await this.#query(
      `WITH chosen AS (SELECT * FROM ${this.#tiers.tierOf("counters", range, stepSec)} WHERE app = $app),
       names AS (SELECT DISTINCT counter FROM chosen ORDER BY counter LIMIT $limit)
       SELECT counter AS name, ${stepSql(stepSec)} AS "stepStartSec", sum(amount)::DOUBLE AS amount
       FROM chosen JOIN names USING (counter)
       GROUP BY counter, "stepStartSec" ORDER BY name, "stepStartSec"`,
      { app, limit },
    );
    return rows as unknown as CounterSum[];
  }
}
