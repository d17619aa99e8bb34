import type { SlowStatementFilter, SlowStatementQueries, StoredSlowStatement } from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import { IN_RANGE, rowsOf } from "./sql-parts.ts";

export class DuckDbSlowStatementQueries implements SlowStatementQueries {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  async list(filter: SlowStatementFilter, limit: number): Promise<StoredSlowStatement[]> {
    const { app, range, action, statement } = filter;
    const values: SqlValues = { app, from: range.fromSec, to: range.toSec, limit };
    const conditions = ["app = $app", IN_RANGE];
    if (action !== undefined) {
      values["action"] = action;
      conditions.push("action = $action");
    }
    if (statement !== undefined) {
      values["statement"] = statement;
      conditions.push("json_extract_string(body, '$.statement') = $statement");
    }
    const rows = await this.#query(
      `SELECT host, body FROM ${rowsOf("slow_statements", range)}
       WHERE ${conditions.join(" AND ")}
       ORDER BY duration_us DESC, ts_s DESC LIMIT $limit`,
      values,
    );
    return rows.map(({ host, body }) => ({
      ...(JSON.parse(String(body)) as Omit<StoredSlowStatement, "host">),
      host: String(host),
    }));
  }
}
