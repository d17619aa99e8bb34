import type { OperationCategory } from "@apm-daemon/protocol";
import type { OperationCaller, OperationFilter, OperationQueries, OperationTotals } from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import { IN_RANGE, mergedHistogramSql } from "./sql-parts.ts";
import { tierOf } from "./tier.ts";

const KEY = "category, system, target, operation, statement";

export class DuckDbOperationQueries implements OperationQueries {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  async totals(filter: OperationFilter, limit: number): Promise<OperationTotals[]> {
    const { where, values } = operationFilterSql(filter);
    const rows = await this.#query(
      `WITH picked AS (SELECT * FROM ${tierOf("operations")} WHERE ${where}),
       sums AS (
         SELECT ${KEY}, sum(calls)::DOUBLE AS calls, sum(errors)::DOUBLE AS errors,
           sum(sum_us) AS "sumUs", max(max_us) AS "maxUs"
         FROM picked GROUP BY ${KEY} ORDER BY "sumUs" DESC, ${KEY} LIMIT $limit),
       wanted AS (SELECT picked.* FROM picked SEMI JOIN sums USING (${KEY}))
       ${mergedHistogramSql("wanted", "sums", KEY)} ORDER BY "sumUs" DESC, ${KEY}`,
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

  async categoryTotals(filter: OperationFilter): Promise<{ category: OperationCategory; sumUs: number }[]> {
    const { where, values } = operationFilterSql(filter);
    const rows = await this.#query(
      `SELECT category, sum(sum_us) AS "sumUs" FROM ${tierOf("operations")} WHERE ${where} GROUP BY category`,
      values,
    );
    return rows as { category: OperationCategory; sumUs: number }[];
  }

  async callers(filter: OperationFilter): Promise<OperationCaller[]> {
    const { where, values } = operationFilterSql(filter);
    const rows = await this.#query(
      `SELECT ${KEY}, action, sum(calls)::DOUBLE AS calls, sum(sum_us) AS "sumUs"
       FROM ${tierOf("operations")} WHERE ${where} GROUP BY ${KEY}, action ORDER BY "sumUs" DESC, action`,
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
  const values: SqlValues = { from: filter.range.fromSec, to: filter.range.toSec, app: filter.app };
  const conditions = [IN_RANGE, "app = $app"];
  for (const name of ["action", "category"] as const) {
    const value = filter[name];
    if (value === undefined) continue;
    conditions.push(`${name} = $${name}`);
    values[name] = value;
  }
  return { where: conditions.join(" AND "), values };
}
