import type { EventQueries, StoredEvent, TimeRange } from "../store.ts";
import type { Query } from "./database-client.ts";
import { IN_RANGE, rowsOf } from "./sql-parts.ts";

export class DuckDbEventQueries implements EventQueries {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  /** Daemons that could not note what they sent may send an event twice, under one id. */
  async list(app: string | undefined, range: TimeRange, limit: number): Promise<StoredEvent[]> {
    const rows = await this.#query(
      `SELECT event_id AS id, any_value(host) AS host, max(ts_ms) AS "tsMs", any_value(body) AS body
       FROM ${rowsOf("events", range)} WHERE ${IN_RANGE}${app === undefined ? "" : " AND app = $app"}
       GROUP BY event_id ORDER BY "tsMs" DESC, id LIMIT $limit`,
      { ...(app === undefined ? {} : { app }), from: range.fromSec, to: range.toSec, limit },
    );
    return rows as unknown as StoredEvent[];
  }
}
