import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { LedgerReport, LedgerTotals } from "@apm-daemon/protocol";
import { readCursor } from "../outbox/cursor.ts";
import { recountJournal } from "./journal-recount.ts";

/**
 * The ledger of a state folder whose daemon does not run: what was sealed, and what a replay of the journal would count.
 * Null when the folder holds no stream yet. Throws the file system's error.
 */
export function offlineLedger(stateDir: string, collector: string): LedgerReport | null {
  const cursor = readCursor(join(stateDir, "journal", "cursor.json"));
  if (cursor === null) return null;
  const { sealed } = cursor.journal;
  const position = journalEnd(join(stateDir, "journal"), sealed);
  const { spans, dropped } = recountJournal(join(stateDir, "journal"), sealed, position);
  const apps = new Set([...cursor.ledger.apps.map(({ app }) => app), ...spans.keys(), ...dropped.keys()]);
  const now = [...apps].map((app): LedgerTotals => {
    const before = cursor.ledger.apps.find((totals) => totals.app === app);
    const received = (before?.received ?? 0) + (spans.get(app) ?? 0);
    const reasons = addedUp(before?.dropped ?? {}, dropped.get(app) ?? {});
    const ended = Object.values(reasons).reduce((sum, lost) => sum + lost, received);
    return { app, created: Math.max(before?.created ?? 0, ended), received, dropped: reasons };
  });
  return {
    host: "",
    stream: cursor.stream,
    nextNumber: cursor.nextNumber,
    journal: { position, sealed },
    sealed: cursor.ledger.apps,
    now,
    givenUp: cursor.ledger.givenUp,
    inFlight: Object.fromEntries(now.map((totals) => [totals.app, inFlightOf(totals)])),
    overcounted: 0,
    unanchored: 0,
    collector,
  };
}

function inFlightOf({ created, received, dropped }: LedgerTotals): number {
  return Object.values(dropped).reduce((left, lost) => left - lost, created - received);
}

function addedUp(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const sums = { ...a };
  for (const [reason, lost] of Object.entries(b)) sums[reason] = (sums[reason] ?? 0) + lost;
  return sums;
}

function journalEnd(dir: string, sealed: number): number {
  const ends = readdirSync(dir).flatMap((name) => {
    const position = /^(\d{16})\.seg$/.exec(name)?.[1];
    return position === undefined ? [] : [Number(position) + statSync(join(dir, name)).size];
  });
  return Math.max(sealed, ...ends);
}
