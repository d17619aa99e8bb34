import type { SlowStatementFilter, SlowStatementQueries, StoredSlowStatement } from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import { IN_RANGE } from "./sql-parts.ts";

export class DuckDbSlowStatementQueries implements SlowStatementQueries {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  async list({ app, range, action }: SlowStatementFilter, limit: number): Promise<StoredSlowStatement[]> {
    const values: SqlValues = { app, from: range.fromSec, to: range.toSec, limit };
    if (action !== undefined) values["action"] = action;
    const rows = await this.#query(
      `SELECT host, body FROM slow_statements
       WHERE app = $app AND ${IN_RANGE} ${action === undefined ? "" : "AND action = $action"}
       ORDER BY duration_us DESC, ts_s DESC LIMIT $limit`,
      values,
    );
    return rows.map(({ host, body }) => ({
      ...(JSON.parse(String(body)) as Omit<StoredSlowStatement, "host">),
      host: String(host),
    }));
  }
}
