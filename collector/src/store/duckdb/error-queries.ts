import type { ErrorGroup, ErrorQueries, TimeRange } from "../store.ts";
import type { Query } from "./database-client.ts";
import { IN_RANGE } from "./sql-parts.ts";

export class DuckDbErrorQueries implements ErrorQueries {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  async groups(app: string, range: TimeRange, limit: number): Promise<ErrorGroup[]> {
    const rows = await this.#query(
      `SELECT error_group AS "group", arg_max(action, ts_s) AS action, arg_max(type, ts_s) AS type,
         arg_max(message, ts_s) AS message, arg_max(stack, ts_s) AS stack, sum(count)::DOUBLE AS count,
         min(ts_s)::DOUBLE AS "firstSec", max(ts_s)::DOUBLE AS "lastSec",
         coalesce(arg_max(nullif(trace_id, ''), ts_s), '') AS "traceId"
       FROM errors WHERE app = $app AND ${IN_RANGE}
       GROUP BY error_group ORDER BY count DESC, "lastSec" DESC, "group" LIMIT $limit`,
      { app, from: range.fromSec, to: range.toSec, limit },
    );
    return rows as unknown as ErrorGroup[];
  }
}
