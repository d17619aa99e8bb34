import type { LedgerReport } from "@apm-daemon/protocol";
import type { LossLedger } from "../aggregate/loss-ledger.ts";
import type { Journal } from "../journal/journal.ts";
import type { Sealer } from "../outbox/sealer.ts";

export interface LedgerReportOptions {
  host: { readonly name: string };
  collector: string;
  journal: Pick<Journal, "position">;
  sealer: Pick<Sealer, "cursor">;
  ledger: LossLedger;
  clock: { unixMs(): number };
}

/** The ledger now. Frames are journaled and counted in one go, so position and totals always belong together. */
export function ledgerReport({
  host,
  collector,
  journal,
  sealer,
  ledger,
  clock,
}: LedgerReportOptions): LedgerReport {
  const { stream, nextNumber, journal: range, ledger: sealed } = sealer.cursor;
  const { apps: now, givenUp } = ledger.state(clock.unixMs());
  return {
    host: host.name,
    stream,
    nextNumber,
    journal: { position: journal.position, sealed: range.sealed },
    sealed: sealed.apps,
    now,
    givenUp,
    inFlight: Object.fromEntries(ledger.inFlight()),
    overcounted: ledger.overcounted,
    unanchored: ledger.unanchored,
    collector,
  };
}
