import type { Store, StoredSlowStatement } from "../store/store.ts";
import { requireApp } from "./apps.ts";
import { answeredRange, keptFrom, type QueryRange } from "./time-range.ts";

export interface SlowStatementsAnswer {
  app: string;
  from: number;
  to: number;
  /** Null: all of the range is kept; else nothing is known of before. */
  keptFrom: number | null;
  slowStatements: (Omit<StoredSlowStatement, "text" | "durationUs"> & {
    /** Null where the host keeps it to itself. */
    statementText: string | null;
    durationMs: number;
  })[];
}

/** Single calls to databases that took long, slowest first. */
export async function slowStatements(
  store: Store,
  app: string,
  range: QueryRange,
  { limit, ...of }: { action?: string | undefined; statement?: string | undefined; limit: number },
): Promise<SlowStatementsAnswer> {
  await requireApp(store, app);
  const rows = await store.slowStatements.list({ app, range, ...of }, limit);
  return {
    app,
    ...answeredRange(range),
    keptFrom: keptFrom(range, store.keptFromSec("records")),
    slowStatements: rows.map(({ text, durationUs, ...row }) => ({
      ...row,
      statementText: text === "" ? null : text,
      durationMs: durationUs / 1_000,
    })),
  };
}
