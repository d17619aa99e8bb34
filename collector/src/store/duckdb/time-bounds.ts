import type { TimeRange } from "../store.ts";

/** Some rows are about a window that ended so long before they were sealed, see RollUp.time. */
export const EARLIER_SEC = 20;

/** Of what times files have rows, by catalog and table, as far as that is known: files of which it is not may have any. */
export class TimeBounds {
  /** First and last second; null for a table without rows. */
  readonly #bounds: Map<string, Map<string, { first: number; last: number } | null>> = new Map();

  knows(catalog: string): boolean {
    return this.#bounds.has(catalog);
  }

  /** Rows with `table`, `first` and `last`, which are null where there are no rows. */
  learn(catalog: string, rows: readonly Record<string, unknown>[]): void {
    const tables = rows.map(({ table, first, last }) => {
      const bounds = first === null ? null : { first: first as number, last: last as number };
      return [table as string, bounds] as const;
    });
    this.#bounds.set(catalog, new Map(tables));
  }

  forget(catalog: string): void {
    this.#bounds.delete(catalog);
  }

  mayHave(catalog: string, table: string, { fromSec, toSec }: TimeRange): boolean {
    const bounds = this.#bounds.get(catalog)?.get(table);
    if (bounds === undefined) return true;
    return bounds !== null && bounds.last >= fromSec && bounds.first - EARLIER_SEC < toSec;
  }
}
