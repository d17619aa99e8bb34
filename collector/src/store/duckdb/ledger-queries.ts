import type { HostOutcome, LedgerQueries, OutcomeCount, TimeRange } from "../store.ts";
import type { Query } from "./database-client.ts";
import { IN_RANGE, stepSql } from "./sql-parts.ts";
import type { Tiers } from "./tier.ts";

export class DuckDbLedgerQueries implements LedgerQueries {
  readonly #query: Query;
  readonly #tiers: Tiers;

  constructor(query: Query, tiers: Tiers) {
    this.#query = query;
    this.#tiers = tiers;
  }

  async outcomes(
    app: string,
    range: TimeRange,
    stepSec?: number,
  ): Promise<{ outcome: string; stepStartSec: number; spans: number }[]> {
    const step = stepSec === undefined ? "0::DOUBLE" : stepSql(stepSec);
    const rows = await this.#query(
      `SELECT outcome, ${step} AS "stepStartSec", sum(spans) AS spans
       FROM ${this.#tiers.tierOf("outcomes", range, stepSec)} WHERE app = $app GROUP BY ALL ORDER BY ALL`,
      { app },
    );
    return rows as { outcome: string; stepStartSec: number; spans: number }[];
  }

  async byHost(app: string, range: TimeRange): Promise<HostOutcome[]> {
    const rows = await this.#query(
      `SELECT coalesce(host, '') AS host, outcome, sum(spans) AS spans, coalesce(min(first_s), min(ts_s))::DOUBLE AS "firstSec",
         coalesce(max(last_s), max(ts_s))::DOUBLE AS "lastSec"
       FROM ${this.#tiers.tierOf("outcomes", range)} WHERE app = $app AND spans <> 0
       GROUP BY ALL ORDER BY spans DESC, host, outcome`,
      { app },
    );
    return rows as unknown as HostOutcome[];
  }

  async committed(stream: string): Promise<{ first: number; last: number }[]> {
    const rows = await this.#query(
      `WITH runs AS (SELECT DISTINCT first, last FROM batch_ranges WHERE stream = $stream),
       begun AS (
         SELECT *, coalesce(first > 1 + max(last) OVER (
           ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS is_after_gap FROM runs),
       islands AS (SELECT *, count_if(is_after_gap) OVER (ORDER BY first, last) AS island FROM begun)
       SELECT min(first) AS first, max(last) AS last FROM islands GROUP BY island ORDER BY first`,
      { stream },
    );
    return rows as { first: number; last: number }[];
  }

  async batchesWithTotals(stream: string, range: TimeRange): Promise<{ number: number; tsSec: number }[]> {
    const rows = await this.#query(
      `SELECT number, min(ts_s)::DOUBLE AS "tsSec" FROM ledger_totals
       WHERE stream = $stream AND ${IN_RANGE} GROUP BY number ORDER BY number`,
      { stream, from: range.fromSec, to: range.toSec },
    );
    return rows as { number: number; tsSec: number }[];
  }

  async totals(stream: string, number: number): Promise<OutcomeCount[]> {
    const rows = await this.#query(
      "SELECT app, outcome, spans FROM ledger_totals WHERE stream = $stream AND number = $number",
      { stream, number },
    );
    return rows as unknown as OutcomeCount[];
  }

  async sums(stream: string, after: number, upTo: number): Promise<OutcomeCount[]> {
    const rows = await this.#query(
      `SELECT app, outcome, sum(spans) AS spans FROM ledger
       WHERE stream = $stream AND number > $after AND number <= $upTo GROUP BY app, outcome ORDER BY app, outcome`,
      { stream, after, upTo },
    );
    return rows as unknown as OutcomeCount[];
  }
}
