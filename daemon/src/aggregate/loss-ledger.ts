import type { LedgerRow } from "@apm-daemon/protocol";
import { WINDOW_SEC } from "./window.ts";

/** What became of the spans: rows for the next batch, and totals since start for whoever asks. */
export class LossLedger {
  readonly #rows = new Map<string, LedgerRow>();
  readonly #dropped: Record<string, Record<string, number>> = {};
  /** Spans journaled since start. */
  received = 0;

  countReceived(app: string, receivedUnixMs: number, spans: number): void {
    this.received += spans;
    this.#row(app, receivedUnixMs).received += spans;
  }

  countDropped(app: string, receivedUnixMs: number, reason: string, spans: number): void {
    const row = this.#row(app, receivedUnixMs);
    row.dropped[reason] = (row.dropped[reason] ?? 0) + spans;
    const totals = (this.#dropped[app] ??= {});
    totals[reason] = (totals[reason] ?? 0) + spans;
  }

  /** Spans lost since start, by app and reason. */
  dropped(): Record<string, Record<string, number>> {
    return this.#dropped;
  }

  drain(): LedgerRow[] {
    const rows = [...this.#rows.values()];
    this.#rows.clear();
    return rows;
  }

  #row(app: string, receivedUnixMs: number): LedgerRow {
    const tsSec = Math.floor(receivedUnixMs / 1e3 / WINDOW_SEC) * WINDOW_SEC;
    const key = `${tsSec} ${app}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = { tsSec, app, received: 0, dropped: {} };
      this.#rows.set(key, row);
    }
    return row;
  }
}
