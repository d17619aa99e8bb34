import { type ActionRow, apdexScore } from "@apm-daemon/protocol";

/** Requests of one app in the last full minute. */
export interface RecentRequests {
  requests: number;
  errors: number;
  throughputRpm: number;
  apdex: number | null;
  avgMs: number | null;
}

const KEPT_SEC = 120;

/** Remembers the sealed rows of the last two minutes, for those who look without a collector. */
export class RecentWindows {
  #rows: ActionRow[] = [];

  add(rows: readonly ActionRow[], nowSec: number): void {
    this.#rows = [...this.#rows, ...rows].filter(
      // Rows of the future are those of a clock that was set back since.
      (row) => Math.abs(row.tsSec - nowSec) <= KEPT_SEC,
    );
  }

  /** The six newest windows that are complete at `nowSec`. */
  of(app: string, nowSec: number): RecentRequests {
    const to = Math.floor(nowSec / 10) * 10;
    const rows = this.#rows.filter((row) => row.app === app && row.tsSec >= to - 60 && row.tsSec < to);
    const sum = (pick: (row: ActionRow) => number): number =>
      rows.reduce((total, row) => total + pick(row), 0);
    const requests = sum((row) => row.requests);
    return {
      requests,
      errors: sum((row) => row.errors),
      throughputRpm: requests,
      apdex: apdexScore(
        sum((row) => row.satisfied),
        sum((row) => row.tolerating),
        sum((row) => row.frustrated),
      ),
      avgMs: requests === 0 ? null : sum((row) => row.sumUs) / requests / 1_000,
    };
  }
}
