import type { BatchRun, LedgerTotals } from "./batch-header.ts";

/** What `GET /ledger` on the daemon's status socket answers: the loss ledger at one moment, for an audit. */
export interface LedgerReport {
  host: string;
  stream: string;
  /** Number of the next batch: all below are sealed. */
  nextNumber: number;
  /** Bytes in the journal, and up to where they are sealed. */
  journal: { position: number; sealed: number };
  /** Sums of all ledger rows of the stream up to `journal.sealed`, and up to `journal.position`. */
  sealed: LedgerTotals[];
  now: LedgerTotals[];
  /** Batches that were given up, and whose spans are counted as dropped. An earlier release does not say it. */
  givenUp?: BatchRun[] | undefined;
  /** Spans that agents have and the daemon does not have yet, by app. */
  inFlight: Record<string, number>;
  /** Spans counted beyond what their agents say they sent, since start. */
  overcounted: number;
  /** Processes of which nobody knows what they sent before this state folder knew them, since start. */
  unanchored: number;
  /** Address of the collector, ws:// or wss://. */
  collector: string;
}

/** Reasons by which spans of a sealed batch turn from received into dropped. */
export const SEALED_LOSS_REASONS: readonly string[] = ["outbox_full", "outbox_corrupt", "dead_letter"];
