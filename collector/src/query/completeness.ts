import type { Store, TimeRange } from "../store/store.ts";

/** How much of what the app's processes recorded is stored. created = stored + dropped + inFlight. */
export interface Completeness {
  /** Spans that the agents say to have ended. */
  created: number;
  /** Of these, journaled, counted and stored. */
  stored: number;
  /** Of these, lost, by reason. */
  dropped: Record<string, number>;
  /** Of these, not here yet. */
  inFlight: number;
  /** stored / (stored + dropped); null without spans. */
  ratio: number | null;
}

const DROPPED = "dropped:";

export async function completenessOf(store: Store, app: string, range: TimeRange): Promise<Completeness> {
  return completeness(await store.ledger.outcomes(app, range));
}

/** From the ledger's rows of one app and time. */
export function completeness(rows: readonly { outcome: string; spans: number }[]): Completeness {
  const spansOf = (outcome: string): number => rows.find((row) => row.outcome === outcome)?.spans ?? 0;
  const lost = rows.filter(({ outcome, spans }) => outcome.startsWith(DROPPED) && spans > 0);
  const dropped = Object.fromEntries(
    lost.map(({ outcome, spans }) => [outcome.slice(DROPPED.length), spans]),
  );
  const [created, stored] = [spansOf("created"), spansOf("received")];
  const droppedSpans = lost.reduce((sum, { spans }) => sum + spans, 0);
  const ended = stored + droppedSpans;
  return {
    created,
    stored,
    dropped,
    inFlight: Math.max(0, created - ended),
    ratio: ended > 0 ? stored / ended : null,
  };
}
