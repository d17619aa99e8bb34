import type { RequestFilter, RequestGrouping, RequestQueries, RequestTotals } from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import { withHistogramsSql } from "./packed-rows.ts";
import { rowsOf, stepSql } from "./sql-parts.ts";
import type { Tiers } from "./tier.ts";

const NOT_GROUPED = { app: "", action: "", kind: "", status: 0, host: "" } as const;
const SUMS = `sum(requests)::DOUBLE AS requests, sum(errors)::DOUBLE AS errors,
  sum(satisfied)::DOUBLE AS satisfied, sum(tolerating)::DOUBLE AS tolerating, sum(frustrated)::DOUBLE AS frustrated,
  sum(sum_us) AS "sumUs", max(max_us) AS "maxUs", sum(code_us) AS "codeUs", sum(database_us) AS "databaseUs",
  sum(cache_us) AS "cacheUs", sum(external_us) AS "externalUs", sum(queue_us) AS "queueUs"`;
/** Of rows that were not asked for theirs. */
const NO_HISTOGRAM = { buckets: [], counts: [] };

export class DuckDbRequestQueries implements RequestQueries {
  readonly #query: Query;
  readonly #tiers: Tiers;

  constructor(query: Query, tiers: Tiers) {
    this.#query = query;
    this.#tiers = tiers;
  }

  async totals(filter: RequestFilter, grouping: RequestGrouping): Promise<RequestTotals[]> {
    const { where, values } = requestFilterSql(filter);
    const { rows: source, hasHost } = this.#source(filter, grouping);
    const names = grouping.by.filter((name) => name !== "host" || hasHost);
    const step = grouping.stepSec === undefined ? "0" : stepSql(grouping.stepSec);
    const group = [...names, '"stepStartSec"'].join(", ");
    const picked = `SELECT *, ${step} AS "stepStartSec" FROM ${source} WHERE ${where}`;
    const sql = grouping.withHistograms
      ? withHistogramsSql({ rows: picked, group, sums: SUMS, order: group })
      : `SELECT ${group}, ${SUMS} FROM (${picked}) GROUP BY ${group}`;
    const rows = await this.#query(sql, values);
    // Spreading them takes forty times as long.
    return rows.map((row) =>
      Object.assign({ ...NOT_GROUPED, histogram: NO_HISTOGRAM }, row),
    ) as unknown as RequestTotals[];
  }

  /** The smallest sums that tell enough. They know the host of an app's requests, or the action and status; both, only rows as they arrived. */
  #source(
    { range, action }: RequestFilter,
    { by, stepSec }: RequestGrouping,
  ): { rows: string; hasHost: boolean } {
    const isByAction = action !== undefined || by.includes("action");
    const sums = this.#tiers.tierOf(isByAction ? "requests" : "requests_by_app", range, stepSec);
    if (!by.includes("host")) return { rows: sums, hasHost: false };
    if (!isByAction && !by.includes("status"))
      return { rows: this.#tiers.tierOf("requests_by_host", range, stepSec), hasHost: true };
    if (range.fromSec < this.#tiers.keptFromSec("rows")) return { rows: sums, hasHost: false };
    return {
      rows: `(SELECT * FROM ${rowsOf("requests", range)} WHERE ts_s >= ${range.fromSec}::UINTEGER AND ts_s < ${range.toSec}::UINTEGER)`,
      hasHost: true,
    };
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
