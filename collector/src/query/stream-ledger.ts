import type { LedgerTotals } from "@apm-daemon/protocol";
import type { OutcomeCount, Store } from "../store/store.ts";
import { NotFound } from "./not-found.ts";
import type { QueryRange } from "./time-range.ts";

/** The ledger of one daemon's stream as it is stored: what it should add up to, and what it does add up to. */
export interface StreamLedgerAnswer {
  stream: string;
  /** Runs of committed batch numbers, ascending. */
  committed: { first: number; last: number }[];
  /** Totals that the audit begins after; number 0 and no apps where the stream is stored from its beginning. */
  opening: LedgerPoint;
  /** Totals of the newest stored batch of the range; the same as `opening` when there is none. */
  closing: LedgerPoint;
  /** Sums of the stored rows of the batches after `opening`, up to `closing` or, if the range reaches up to now, to the newest. */
  stored: LedgerTotals[];
}

export interface LedgerPoint {
  number: number;
  apps: LedgerTotals[];
}

export interface StreamLedgerOptions {
  /** Batches with higher numbers are left out. */
  upTo: number;
}

/** The audit of batches that were sealed in the range. Throws NotFound for a stream of which nothing is stored. */
export async function streamLedger(
  store: Store,
  stream: string,
  range: QueryRange,
  { upTo }: StreamLedgerOptions,
): Promise<StreamLedgerAnswer> {
  const committed = await store.ledger.committed(stream);
  if (committed.length === 0) throw new NotFound(`there is no batch of a stream ${stream}`);
  const everything = { fromSec: 0, toSec: range.toSec };
  const points = (await store.ledger.batchesWithTotals(stream, everything)).filter(
    ({ number }) => number <= upTo,
  );
  const before = points.findLast(({ tsSec }) => tsSec < range.fromSec)?.number;
  const isWholeFromBeginning = committed[0]?.first === 1;
  const openingNumber = before ?? (isWholeFromBeginning ? 0 : (points[0]?.number ?? 0));
  const closingNumber = points.findLast(({ tsSec }) => tsSec >= range.fromSec)?.number ?? openingNumber;
  const isUpToNow = range.toSec * 1_000 >= range.nowMs;
  const [opening, closing, stored] = await Promise.all([
    store.ledger.totals(stream, openingNumber),
    store.ledger.totals(stream, closingNumber),
    store.ledger.sums(stream, openingNumber, isUpToNow ? upTo : closingNumber),
  ]);
  return {
    stream,
    committed,
    opening: { number: openingNumber, apps: totalsOf(opening) },
    closing: { number: closingNumber, apps: totalsOf(closing) },
    stored: totalsOf(stored),
  };
}

const DROPPED = "dropped:";

function totalsOf(counts: readonly OutcomeCount[]): LedgerTotals[] {
  const byApp = new Map<string, LedgerTotals>();
  for (const { app, outcome, spans } of counts) {
    let totals = byApp.get(app);
    if (totals === undefined) {
      totals = { app, created: 0, received: 0, dropped: {} };
      byApp.set(app, totals);
    }
    if (outcome === "created") totals.created = spans;
    else if (outcome === "received") totals.received = spans;
    else
      Object.defineProperty(totals.dropped, outcome.slice(DROPPED.length), {
        value: spans,
        enumerable: true,
      });
  }
  return [...byApp.values()];
}
