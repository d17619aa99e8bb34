import { Lately } from "../lately.ts";
import type { ErrorGroup, ErrorPlace, ErrorQueries, ErrorSample, TimeRange } from "../store.ts";
import type { Query } from "./database-client.ts";
import type { SqlValues } from "./database-messages.ts";
import { IN_RANGE, rowsOf, stepSql } from "./sql-parts.ts";

const COLUMN_OF = { type: "type", group: "error_group" } as const;

/** A group that is not in there yet is younger than that. */
const FIRST_FRESH_MS = 10_000;

export class DuckDbErrorQueries implements ErrorQueries {
  readonly #query: Query;
  readonly #firsts: Lately<{ group: string; firstSec: number }[]> = new Lately(FIRST_FRESH_MS);

  constructor(query: Query) {
    this.#query = query;
  }

  groups(app: string, range: TimeRange, limit: number): Promise<ErrorGroup[]> {
    return this.#groups(range, "", { app, from: range.fromSec, to: range.toSec, limit });
  }

  async group(app: string, group: string, range: TimeRange): Promise<ErrorGroup | null> {
    const values = { app, group, from: range.fromSec, to: range.toSec, limit: 1 };
    return (await this.#groups(range, "AND error_group = $group", values))[0] ?? null;
  }

  firstSeen(app: string): Promise<{ group: string; firstSec: number }[]> {
    return this.#firsts.get(app, async () => {
      const rows = await this.#query(
        `SELECT error_group AS "group", min(ts_s)::DOUBLE AS "firstSec" FROM errors WHERE app = $app GROUP BY error_group`,
        { app },
      );
      return rows as { group: string; firstSec: number }[];
    });
  }

  async counts(
    app: string,
    range: TimeRange,
    { by, stepSec }: { by: "type" | "group"; stepSec: number },
  ): Promise<{ key: string; stepStartSec: number; count: number }[]> {
    const rows = await this.#query(
      `SELECT ${COLUMN_OF[by]} AS key, ${stepSql(stepSec)} AS "stepStartSec", sum(count)::DOUBLE AS count
       FROM ${rowsOf("errors", range)} WHERE app = $app AND ${IN_RANGE} GROUP BY ALL ORDER BY "stepStartSec", key`,
      { app, from: range.fromSec, to: range.toSec },
    );
    return rows as { key: string; stepStartSec: number; count: number }[];
  }

  async places(app: string, group: string, range: TimeRange): Promise<ErrorPlace[]> {
    const rows = await this.#query(
      `SELECT action, host, sum(count)::DOUBLE AS count
       FROM ${rowsOf("errors", range)} WHERE app = $app AND error_group = $group AND ${IN_RANGE}
       GROUP BY action, host ORDER BY count DESC, action, host`,
      { app, group, from: range.fromSec, to: range.toSec },
    );
    return rows as unknown as ErrorPlace[];
  }

  async samples(app: string, group: string, range: TimeRange, limit: number): Promise<ErrorSample[]> {
    const rows = await this.#query(
      `SELECT trace_id AS "traceId", arg_max(action, ts_s) AS action, arg_max(host, ts_s) AS host,
         arg_max(message, ts_s) AS message, max(ts_s)::DOUBLE AS sec
       FROM ${rowsOf("errors", range)} WHERE app = $app AND error_group = $group AND trace_id <> '' AND ${IN_RANGE}
       GROUP BY trace_id ORDER BY sec DESC, trace_id LIMIT $limit`,
      { app, group, from: range.fromSec, to: range.toSec, limit },
    );
    return rows as unknown as ErrorSample[];
  }

  async #groups(range: TimeRange, condition: string, values: SqlValues): Promise<ErrorGroup[]> {
    const rows = await this.#query(
      `SELECT error_group AS "group", arg_max(action, ts_s) AS action, arg_max(type, ts_s) AS type,
         arg_max(message, ts_s) AS message, arg_max(stack, ts_s) AS stack, sum(count)::DOUBLE AS count,
         min(ts_s)::DOUBLE AS "firstSec", max(ts_s)::DOUBLE AS "lastSec",
         coalesce(arg_max(nullif(trace_id, ''), ts_s), '') AS "traceId"
       FROM ${rowsOf("errors", range)} WHERE app = $app AND ${IN_RANGE} ${condition}
       GROUP BY error_group ORDER BY count DESC, "lastSec" DESC, "group" LIMIT $limit`,
      values,
    );
    return rows as unknown as ErrorGroup[];
  }
}
