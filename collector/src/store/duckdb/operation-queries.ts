import type { OperationCategory } from "@apm-daemon/protocol";
import type {
  DependencyTotals,
  OperationCaller,
  OperationFilter,
  OperationGroupBy,
  OperationGrouping,
  OperationGroupTotals,
  OperationQueries,
  OperationTotals,
  TimeRange,
} from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import { mergedHistogramSql, stepSql } from "./sql-parts.ts";
import type { Tiers } from "./tier.ts";

const KEY = "category, system, target, operation, statement";
/** Behind every place. */
const REST = 1_000_000_000;
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
       sums AS (
         SELECT ${KEY}, sum(calls)::DOUBLE AS calls, sum(errors)::DOUBLE AS errors,
           sum(sum_us) AS "sumUs", max(max_us) AS "maxUs"
         FROM picked GROUP BY ${KEY} ORDER BY "sumUs" DESC, ${KEY} LIMIT $limit),
       ${mergedHistogramSql("picked", "sums", KEY)}
       SELECT * FROM with_histograms ORDER BY "sumUs" DESC, ${KEY}`,
      { ...values, limit },
    );
    return rows.map(
      ({ buckets, counts, ...row }) =>
        ({
          ...row,
          histogram: { buckets: buckets ?? [], counts: counts ?? [] },
        }) as unknown as OperationTotals,
    );
  }

  async groups(filter: OperationFilter, grouping: OperationGrouping): Promise<OperationGroupTotals[]> {
    const { where, values } = operationFilterSql(filter);
    const step = grouping.stepSec === undefined ? "0::DOUBLE" : stepSql(grouping.stepSec);
    const rows = await this.#query(
      `WITH picked AS MATERIALIZED (
         SELECT ${GROUPED_COLUMNS[grouping.by]}, ${step} AS "stepStartSec",
           calls, errors, sum_us, max_us, buckets, counts
         FROM ${this.#tiers.tierOf("operations", filter.range, grouping.stepSec)} WHERE ${where}),
       top AS MATERIALIZED (
         SELECT *, row_number() OVER (ORDER BY top_us DESC, ${GROUP}) AS place
         FROM (SELECT ${GROUP}, sum(sum_us) AS top_us FROM picked GROUP BY ${GROUP})
         QUALIFY place <= $limit),
       wanted AS MATERIALIZED (
         SELECT coalesce(place, ${REST}) AS place, "stepStartSec", calls, errors, sum_us, max_us, buckets, counts
         FROM picked LEFT JOIN top USING (${GROUP})),
       sums AS (
         SELECT place, "stepStartSec", sum(calls)::DOUBLE AS calls, sum(errors)::DOUBLE AS errors,
           sum(sum_us) AS "sumUs", max(max_us) AS "maxUs"
         FROM wanted GROUP BY place, "stepStartSec"),
       ${mergedHistogramSql("wanted", "sums", 'place, "stepStartSec"')}
       SELECT coalesce(system, '') AS system, coalesce(target, '') AS target, coalesce(operation, '') AS operation,
         coalesce(statement, '') AS statement, place = ${REST} AS "isRest", with_histograms.* EXCLUDE (place)
       FROM with_histograms LEFT JOIN top USING (place) ORDER BY place, "stepStartSec"`,
      { ...values, limit: grouping.limit },
    );
    return rows.map(
      ({ buckets, counts, ...row }) =>
        ({
          ...row,
          histogram: { buckets: buckets ?? [], counts: counts ?? [] },
        }) as unknown as OperationGroupTotals,
    );
  }

  async dependencies(range: TimeRange, limit: number): Promise<DependencyTotals[]> {
    const rows = await this.#query(
      `SELECT app, category, system, target, sum(calls)::DOUBLE AS calls, sum(errors)::DOUBLE AS errors,
         sum(sum_us) AS "sumUs"
       FROM ${this.#tiers.tierOf("operations", range)}
       GROUP BY app, category, system, target ORDER BY "sumUs" DESC, app, category, system, target LIMIT $limit`,
      { limit },
    );
    return rows as unknown as DependencyTotals[];
  }

  async categoryTotals(filter: OperationFilter): Promise<{ category: OperationCategory; sumUs: number }[]> {
    const { where, values } = operationFilterSql(filter);
    const rows = await this.#query(
      `SELECT category, sum(sum_us) AS "sumUs" FROM ${this.#tiers.tierOf("operations", filter.range)} WHERE ${where} GROUP BY category`,
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

  async statementTexts(app: string): Promise<{ fingerprint: string; text: string }[]> {
    const rows = await this.#query(
      "SELECT fingerprint, arg_max(text, ts_s) AS text FROM statements WHERE app = $app GROUP BY fingerprint",
      { app },
    );
    return rows as { fingerprint: string; text: string }[];
  }
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
