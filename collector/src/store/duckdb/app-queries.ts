import type { AppQueries, SeenApp, TimeRange } from "../store.ts";
import type { Query } from "./database-client.ts";
import { IN_RANGE, stepSql } from "./sql-parts.ts";
import { tierOf } from "./tier.ts";

/** A daemon reports a window in the 10 s after it. */
const WINDOW_SEC = 10;

export class DuckDbAppQueries implements AppQueries {
  readonly #query: Query;

  constructor(query: Query) {
    this.#query = query;
  }

  async exists(app: string): Promise<boolean> {
    const rows = await this.#query(
      `(SELECT 1 AS one FROM apps WHERE app = $app LIMIT 1)
       UNION ALL (SELECT 1 FROM ${tierOf("requests")} WHERE app = $app LIMIT 1)`,
      { app },
    );
    return rows.length > 0;
  }

  async seen(range: TimeRange, app?: string): Promise<SeenApp[]> {
    const where = `${IN_RANGE}${app === undefined ? "" : " AND app = $app"}`;
    const rows = await this.#query(
      `SELECT app, list(DISTINCT host ORDER BY host) AS hosts, max(ts_s)::DOUBLE * 1000 AS "lastSeenUnixMs"
       FROM (SELECT app, host, ts_s FROM apps WHERE ${where}
             UNION ALL SELECT app, host, ts_s FROM ${tierOf("requests")} WHERE ${where})
       GROUP BY app ORDER BY app`,
      { from: range.fromSec, to: range.toSec, ...(app === undefined ? {} : { app }) },
    );
    return rows as unknown as SeenApp[];
  }

  async apdexThresholds(): Promise<{ app: string; apdexTMs: number }[]> {
    const rows = await this.#query(
      'SELECT app, arg_max(apdex_t_ms, ts_s) AS "apdexTMs" FROM apps GROUP BY app',
      {},
    );
    return rows as { app: string; apdexTMs: number }[];
  }

  async reportedSteps(app: string, range: TimeRange, stepSec: number): Promise<number[]> {
    const rows = await this.#query(
      `SELECT DISTINCT ${stepSql(stepSec)} AS step
       FROM (SELECT ts_s::BIGINT - ts_s % ${WINDOW_SEC} - ${WINDOW_SEC} AS ts_s FROM apps
             WHERE app = $app AND ts_s >= ($from + ${WINDOW_SEC})::UINTEGER AND ts_s < ($to + ${WINDOW_SEC})::UINTEGER)`,
      { app, from: range.fromSec, to: range.toSec },
    );
    return rows.map((row) => row["step"] as number);
  }
}
