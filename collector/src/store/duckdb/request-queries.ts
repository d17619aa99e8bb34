import type { RequestFilter, RequestGrouping, RequestQueries, RequestTotals } from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import { mergedHistogramSql, stepSql } from "./sql-parts.ts";
import type { Tiers } from "./tier.ts";

const NOT_GROUPED: Readonly<Record<RequestGrouping["by"][number], string>> = {
  app: "''",
  action: "''",
  kind: "''",
  status: "0::USMALLINT",
  host: "''",
};

export class DuckDbRequestQueries implements RequestQueries {
  readonly #query: Query;
  readonly #tiers: Tiers;

  constructor(query: Query, tiers: Tiers) {
    this.#query = query;
    this.#tiers = tiers;
  }

  async totals(filter: RequestFilter, grouping: RequestGrouping): Promise<RequestTotals[]> {
    const { where, values } = requestFilterSql(filter);
    const keys = Object.entries(NOT_GROUPED).map(
      ([name, constant]) =>
        `${grouping.by.includes(name as keyof typeof NOT_GROUPED) ? name : constant} AS g_${name}`,
    );
    const step = grouping.stepSec === undefined ? "0" : stepSql(grouping.stepSec);
    const group = "g_app, g_action, g_kind, g_status, g_host, g_step";
    const rows = await this.#query(
      `WITH picked AS (
         SELECT ${keys.join(", ")}, ${step} AS g_step, *
         FROM ${this.#tiers.tierOf("requests", filter.range, grouping.stepSec)} WHERE ${where}),
       sums AS (
         SELECT ${group},
           sum(requests)::DOUBLE AS requests, sum(errors)::DOUBLE AS errors,
           sum(satisfied)::DOUBLE AS satisfied, sum(tolerating)::DOUBLE AS tolerating,
           sum(frustrated)::DOUBLE AS frustrated, sum(sum_us) AS "sumUs", max(max_us) AS "maxUs",
           sum(code_us) AS "codeUs", sum(database_us) AS "databaseUs", sum(cache_us) AS "cacheUs",
           sum(external_us) AS "externalUs", sum(queue_us) AS "queueUs"
         FROM picked GROUP BY ${group})
       ${grouping.withHistograms ? mergedHistogramSql("picked", "sums", group) : "SELECT * FROM sums"}`,
      values,
    );
    return rows.map((row) => {
      const { g_app, g_action, g_kind, g_status, g_host, g_step, buckets, counts, ...sums } = row;
      return {
        app: g_app,
        action: g_action,
        kind: g_kind,
        status: g_status,
        host: g_host,
        stepStartSec: g_step,
        histogram: { buckets: buckets ?? [], counts: counts ?? [] },
        ...sums,
      } as unknown as RequestTotals;
    });
  }
}

function requestFilterSql({ app, action, kind }: RequestFilter): { where: string; values: SqlValues } {
  const values: SqlValues = {};
  const conditions = ["true"];
  for (const [name, value] of Object.entries({ app, action, kind })) {
    if (value === undefined) continue;
    conditions.push(`${name} = $${name}`);
    values[name] = value;
  }
  return { where: conditions.join(" AND "), values };
}
