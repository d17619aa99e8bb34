import type { ReceivedBatch } from "../batch-rows.ts";
import type { AppQueries, SeenApp, TimeRange } from "../store.ts";
import { ApdexThresholds } from "./apdex-thresholds.ts";
import type { Query } from "./database-client.ts";
import { KnownNames } from "./known-names.ts";
import { stepSql } from "./sql-parts.ts";
import type { Tiers } from "./tier.ts";

export class DuckDbAppQueries implements AppQueries {
  readonly #query: Query;
  readonly #tiers: Tiers;
  readonly #known: KnownNames = new KnownNames();
  readonly #thresholds: ApdexThresholds;

  constructor(query: Query, tiers: Tiers) {
    this.#query = query;
    this.#tiers = tiers;
    this.#thresholds = new ApdexThresholds(async () => {
      const rows = await query(
        `SELECT app, max(sealed_s)::DOUBLE AS "atSec", arg_max(apdex_t_ms, sealed_s) AS "apdexTMs" FROM apps_hours GROUP BY app`,
        {},
      );
      return rows as { app: string; atSec: number; apdexTMs: number }[];
    });
  }

  /** Call it when the batch is stored. */
  noteStored(received: ReceivedBatch): void {
    this.#thresholds.note(received);
  }

  exists(app: string): Promise<boolean> {
    return this.#known.has(app, async () => {
      const rows = await this.#query(
        `(SELECT 1 AS one FROM apps_hours WHERE app = $app LIMIT 1)
         UNION ALL (SELECT 1 FROM requests_by_host_hours WHERE app = $app LIMIT 1)`,
        { app },
      );
      return rows.length > 0;
    });
  }

  async seen(range: TimeRange, app?: string): Promise<SeenApp[]> {
    const where = app === undefined ? "true" : "app = $app";
    const rows = await this.#query(
      `SELECT app, list(DISTINCT host ORDER BY host) AS hosts, max(ts_s)::DOUBLE * 1000 AS "lastSeenUnixMs"
       FROM (SELECT app, host, sealed_s AS ts_s FROM ${this.#tiers.tierOf("apps", range)} WHERE ${where}
             UNION ALL SELECT app, host, ts_s FROM ${this.#tiers.tierOf("requests_by_host", range)} WHERE ${where})
       GROUP BY app ORDER BY app`,
      app === undefined ? {} : { app },
    );
    return rows as unknown as SeenApp[];
  }

  apdexThresholds(): Promise<ReadonlyMap<string, number>> {
    return this.#thresholds.all();
  }

  async reportedSteps(app: string, range: TimeRange, stepSec: number): Promise<number[]> {
    const rows = await this.#query(
      `SELECT DISTINCT ${stepSql(stepSec)} AS step
       FROM ${this.#tiers.tierOf("apps", range, stepSec)} WHERE app = $app`,
      { app },
    );
    return rows.map((row) => row["step"] as number);
  }
}
