import type { OperationCategory } from "@apm-daemon/protocol";
import type {
  DependencyTotals,
  OperationCaller,
  OperationFilter,
  OperationGroupBy,
  OperationGrouping,
  OperationGroupStep,
  OperationQueries,
  OperationStep,
  OperationTotals,
  TimeRange,
} from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import type { ResultRow } from "./query-gate.ts";
import { mergedHistogramSql, stepSql } from "./sql-parts.ts";
import type { Tiers } from "./tier.ts";

const KEY = "category, system, target, operation, statement";
const GROUP = "system, target, operation, statement";
/** Columns of GROUP, by what is kept apart; the others are "". */
const GROUPED_COLUMNS: Readonly<Record<OperationGroupBy, string>> = {
  store: "system, target, '' AS operation, '' AS statement",
  operation: GROUP,
};

export class DuckDbOperationQueries implements OperationQueries {
  readonly #query: Query;
  readonly #tiers: Tiers;

  constructor(query: Query, tiers: Tiers) {
    this.#query = query;
    this.#tiers = tiers;
  }

  async totals(filter: OperationFilter, limit: number): Promise<OperationTotals[]> {
    const { where, values } = operationFilterSql(filter);
    const rows = await this.#query(
      `WITH picked AS MATERIALIZED (
         SELECT ${KEY}, calls, errors, sum_us, max_us, buckets, counts
         FROM ${this.#tiers.tierOf("operations", filter.range)} WHERE ${where}),
       sums AS (${summedSql("picked", KEY)} ORDER BY "sumUs" DESC, ${KEY} LIMIT $limit),
       ${mergedHistogramSql("picked", "sums", KEY)}
       SELECT * FROM with_histograms ORDER BY "sumUs" DESC, ${KEY}`,
      { ...values, limit },
    );
    return rows.map(withHistogram) as unknown as OperationTotals[];
  }

  async steps(filter: OperationFilter, stepSec: number): Promise<OperationStep[]> {
    const { where, values } = operationFilterSql(filter);
    const rows = await this.#query(
      `WITH picked AS MATERIALIZED (
         SELECT ${stepSql(stepSec)} AS "stepStartSec", calls, errors, sum_us, max_us, buckets, counts
         FROM ${this.#source(filter, stepSec)} WHERE ${where}),
       sums AS (${summedSql("picked", '"stepStartSec"')}),
       ${mergedHistogramSql("picked", "sums", '"stepStartSec"')}
       SELECT * FROM with_histograms ORDER BY "stepStartSec"`,
      values,
    );
    return rows.map(withHistogram) as unknown as OperationStep[];
  }

  /** Which groups take most time is found out first, so that histograms of no others are read. */
  async groupSteps(
    filter: OperationFilter,
    { by, stepSec, limit }: OperationGrouping,
  ): Promise<OperationGroupStep[]> {
    const { where, values } = operationFilterSql(filter);
    const columns = GROUPED_COLUMNS[by];
    const isByStore = by === "store";
    const rows = await this.#query(
      `WITH top AS MATERIALIZED (
         SELECT ${GROUP}, row_number() OVER (ORDER BY sum(sum_us) DESC, ${GROUP}) AS place
         FROM (SELECT ${columns}, sum_us FROM ${this.#source(filter, undefined, isByStore)} WHERE ${where})
         GROUP BY ${GROUP} QUALIFY place <= $limit),
       picked AS MATERIALIZED (
         SELECT place, "stepStartSec", calls, errors, sum_us, max_us, buckets, counts
         FROM (
           SELECT ${columns}, ${stepSql(stepSec)} AS "stepStartSec", calls, errors, sum_us, max_us, buckets, counts
           FROM ${this.#source(filter, stepSec, isByStore)} WHERE ${where})
         JOIN top USING (${GROUP})),
       sums AS (${summedSql("picked", 'place, "stepStartSec"')}),
       ${mergedHistogramSql("picked", "sums", 'place, "stepStartSec"')}
       SELECT ${GROUP}, with_histograms.* EXCLUDE (place)
       FROM with_histograms JOIN top USING (place) ORDER BY place, "stepStartSec"`,
      { ...values, limit },
    );
    return rows.map(withHistogram) as unknown as OperationGroupStep[];
  }

  async dependencies(range: TimeRange, limit: number): Promise<DependencyTotals[]> {
    const rows = await this.#query(
      `SELECT app, category, system, target, sum(calls)::DOUBLE AS calls, sum(errors)::DOUBLE AS errors,
         sum(sum_us) AS "sumUs"
       FROM ${this.#tiers.tierOf("operations_by_store", range)}
       GROUP BY app, category, system, target ORDER BY "sumUs" DESC, app, category, system, target LIMIT $limit`,
      { limit },
    );
    return rows as unknown as DependencyTotals[];
  }

  async categoryTotals(filter: OperationFilter): Promise<{ category: OperationCategory; sumUs: number }[]> {
    const { where, values } = operationFilterSql(filter);
    const rows = await this.#query(
      `SELECT category, sum(sum_us) AS "sumUs" FROM ${this.#source(filter)} WHERE ${where} GROUP BY category`,
      values,
    );
    return rows as { category: OperationCategory; sumUs: number }[];
  }

  async callers(filter: OperationFilter): Promise<OperationCaller[]> {
    const { where, values } = operationFilterSql(filter);
    const rows = await this.#query(
      `SELECT ${KEY}, action, sum(calls)::DOUBLE AS calls, sum(sum_us) AS "sumUs"
       FROM ${this.#tiers.tierOf("operations", filter.range)} WHERE ${where} GROUP BY ${KEY}, action ORDER BY "sumUs" DESC, action`,
      values,
    );
    return rows as unknown as OperationCaller[];
  }

  /** The smallest sums that tell enough. */
  #source(filter: OperationFilter, stepSec?: number, isByStore: boolean = true): string {
    const { action, operation, statement } = filter;
    const isSmall = isByStore && action === undefined && operation === undefined && statement === undefined;
    return this.#tiers.tierOf(isSmall ? "operations_by_store" : "operations", filter.range, stepSec);
  }

  async statementTexts(app: string): Promise<{ fingerprint: string; text: string }[]> {
    const rows = await this.#query(
      "SELECT fingerprint, arg_max(text, ts_s) AS text FROM statements WHERE app = $app GROUP BY fingerprint",
      { app },
    );
    return rows as { fingerprint: string; text: string }[];
  }
}

function summedSql(rows: string, group: string): string {
  return `SELECT ${group}, sum(calls)::DOUBLE AS calls, sum(errors)::DOUBLE AS errors, sum(sum_us) AS "sumUs", max(max_us) AS "maxUs"
         FROM ${rows} GROUP BY ${group}`;
}

function withHistogram({ buckets, counts, ...row }: ResultRow): Record<string, unknown> {
  return { ...row, histogram: { buckets: buckets ?? [], counts: counts ?? [] } };
}

function operationFilterSql(filter: OperationFilter): { where: string; values: SqlValues } {
  const values: SqlValues = { app: filter.app };
  const conditions = ["app = $app"];
  for (const name of ["action", "category", "system", "target", "operation", "statement"] as const) {
    const value = filter[name];
    if (value === undefined) continue;
    conditions.push(`${name} = $${name}`);
    values[name] = value;
  }
  return { where: conditions.join(" AND "), values };
}
