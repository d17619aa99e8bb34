import { Lately } from "../lately.ts";
import type {
  DependencyTotals,
  OperationCaller,
  OperationFilter,
  OperationGroup,
  OperationGroupStep,
  OperationQueries,
  OperationStep,
  OperationTotals,
  TimeRange,
} from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import { withHistogramsSql } from "./packed-rows.ts";
import { stepSql } from "./sql-parts.ts";
import type { Tiers } from "./tier.ts";

const SUMS = `sum(calls)::DOUBLE AS calls, sum(errors)::DOUBLE AS errors, sum(sum_us) AS "sumUs", max(max_us) AS "maxUs"`;
const SUMMED = "calls, errors, sum_us, max_us, buckets, counts";
const KEY = "category, system, target, operation, statement";

const TEXTS_FRESH_MS = 5_000;

export class DuckDbOperationQueries implements OperationQueries {
  readonly #query: Query;
  readonly #tiers: Tiers;
  readonly #texts: Lately<{ fingerprint: string; text: string }[]> = new Lately(TEXTS_FRESH_MS);

  constructor(query: Query, tiers: Tiers) {
    this.#query = query;
    this.#tiers = tiers;
  }

  async totals(filter: OperationFilter, limit: number): Promise<OperationTotals[]> {
    const { where, values } = operationFilterSql(filter);
    const rows = await this.#query(
      withHistogramsSql({
        rows: `SELECT ${KEY}, ${SUMMED} FROM ${this.#tiers.tierOf("operations", filter.range)} WHERE ${where}`,
        group: KEY,
        sums: SUMS,
        order: `"sumUs" DESC, ${KEY}`,
        limit: "$limit",
        per: "category",
      }),
      { ...values, limit },
    );
    return rows as unknown as OperationTotals[];
  }

  async steps(filter: OperationFilter, stepSec: number): Promise<OperationStep[]> {
    const { where, values } = operationFilterSql(filter);
    const rows = await this.#query(
      withHistogramsSql({
        rows: `SELECT ${stepSql(stepSec)} AS "stepStartSec", ${SUMMED} FROM ${this.#source(filter, stepSec)} WHERE ${where}`,
        group: '"stepStartSec"',
        sums: SUMS,
        order: '"stepStartSec"',
      }),
      values,
    );
    return rows as unknown as OperationStep[];
  }

  async groupSteps(
    filter: OperationFilter,
    groups: readonly OperationGroup[],
    stepSec: number,
  ): Promise<OperationGroupStep[]> {
    if (groups.length === 0) return [];
    const { where, values } = operationFilterSql(filter);
    const isByStore = groups.every(({ what }) => what === undefined);
    const conditions = groups.map(({ system, target, what }, index) => {
      const wanted = { system, target, ...what };
      for (const [name, value] of Object.entries(wanted)) values[`${name}${index}`] = value;
      const equal = Object.keys(wanted).map((name) => `${name} = $${name}${index}`);
      return `WHEN ${equal.join(" AND ")} THEN ${index}`;
    });
    const rows = await this.#query(
      withHistogramsSql({
        rows: `SELECT CASE ${conditions.join(" ")} END AS index, ${stepSql(stepSec)} AS "stepStartSec", ${SUMMED}
          FROM ${this.#source(filter, stepSec, isByStore)} WHERE ${where} AND index IS NOT NULL`,
        group: 'index, "stepStartSec"',
        sums: SUMS,
        order: 'index, "stepStartSec"',
      }),
      values,
    );
    return rows as unknown as OperationGroupStep[];
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

  statementTexts(app: string): Promise<{ fingerprint: string; text: string }[]> {
    return this.#texts.get(app, async () => {
      const rows = await this.#query(
        "SELECT fingerprint, arg_max(text, ts_s) AS text FROM statements WHERE app = $app GROUP BY fingerprint",
        { app },
      );
      return rows as { fingerprint: string; text: string }[];
    });
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
