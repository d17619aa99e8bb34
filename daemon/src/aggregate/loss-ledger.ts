import type { LedgerRow } from "@apm-daemon/protocol";
import { WINDOW_SEC } from "./window.ts";

/** What became of the spans: rows for the next batch, and totals since start for whoever asks. */
export class LossLedger {
  readonly #rows = new Map<string, LedgerRow>();
  readonly #dropped: Record<string, Record<string, number>> = namesOnly();
  /** Spans journaled since start. */
  received = 0;

  countReceived(app: string, receivedUnixMs: number, spans: number): void {
    this.received += spans;
    this.#row(app, receivedUnixMs).received += spans;
  }

  countDropped(app: string, receivedUnixMs: number, reason: string, spans: number): void {
    const row = this.#row(app, receivedUnixMs);
    const totals = (this.#dropped[app] ??= namesOnly());
    for (const counts of [row.dropped, totals])
      counts[reason] = Math.min((counts[reason] ?? 0) + spans, Number.MAX_SAFE_INTEGER);
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
      row = { tsSec, app, received: 0, dropped: namesOnly() };
      this.#rows.set(key, row);
    }
    return row;
  }
}

/** Apps and reasons are named from outside: "constructor" and "__proto__" are names like any other here. */
function namesOnly<Value>(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>;
}
