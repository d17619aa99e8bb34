import type { SlowStatementFilter, SlowStatementQueries, StoredSlowStatement } from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import { highestSql, IN_RANGE, rowsOf } from "./sql-parts.ts";

export class DuckDbSlowStatementQueries implements SlowStatementQueries {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  async list(filter: SlowStatementFilter, limit: number): Promise<StoredSlowStatement[]> {
    const { app, range, action, statement } = filter;
    const values: SqlValues = { app, from: range.fromSec, to: range.toSec };
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
      highestSql({
        columns: "host, body",
        rows: rowsOf("slow_statements", range),
        where: conditions.join(" AND "),
        by: "duration_us",
        order: "duration_us DESC, ts_s DESC",
        limit,
      }),
      values,
    );
    return rows.map(({ host, body }) => ({
      ...(JSON.parse(String(body)) as Omit<StoredSlowStatement, "host">),
      host: String(host),
    }));
  }
}
