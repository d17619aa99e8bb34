import { type ActionRow, apdexScore, mergeHistograms, quantileUs } from "@apm-daemon/protocol";

/** Requests of one app in the last full minute. */
export interface RecentRequests {
  requests: number;
  errors: number;
  throughputRpm: number;
  apdex: number | null;
  avgMs: number | null;
  p95Ms: number | null;
}

const KEPT_SEC = 120;

/** Remembers the sealed rows of the last two minutes, for those who look without a collector. */
export class RecentWindows {
  readonly #rows = new Map<string, ActionRow[]>();

  add(rows: readonly ActionRow[], nowSec: number): void {
    for (const row of rows) {
      const ofApp = this.#rows.get(row.app);
      if (ofApp === undefined) this.#rows.set(row.app, [row]);
      else ofApp.push(row);
    }
    for (const [app, ofApp] of this.#rows) {
      // Rows of the future are those of a clock that was set back since.
      const kept = ofApp.filter((row) => Math.abs(row.tsSec - nowSec) <= KEPT_SEC);
      if (kept.length === 0) this.#rows.delete(app);
      else this.#rows.set(app, kept);
    }
  }

  /** The six newest windows that are complete at `nowSec`. */
  of(app: string, nowSec: number): RecentRequests {
    const to = Math.floor(nowSec / 10) * 10;
    const rows = (this.#rows.get(app) ?? []).filter((row) => row.tsSec >= to - 60 && row.tsSec < to);
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
      p95Ms: p95MsOf(rows),
    };
  }
}

/** A bucket's middle may lie beyond the slowest request. */
function p95MsOf(rows: readonly ActionRow[]): number | null {
  const p95Us = quantileUs(mergeHistograms(rows.map(({ histogram }) => histogram)), 0.95);
  return p95Us === null ? null : Math.min(p95Us, slowestUs(rows)) / 1_000;
}

function slowestUs(rows: readonly ActionRow[]): number {
  return rows.reduce((max, { maxUs }) => Math.max(max, maxUs), 0);
}
