/**
 * Adds up what became of every span of one daemon's apps, from four places that do not know of each other:
 *
 *   the agents' own count  =  stored at the collector  +  waiting in the outbox  +  in the journal, not sealed yet
 *                           + in flight in the apps  +  lost, by reason
 *
 * The totals that travel with the batches say what the batches before them must add up to, so a batch that is missing, or
 * has other contents than it had, shows to the span. What is lost by design is in the ledger with its reason; anything else
 * is a difference.
 */
import type { JournalRecount, WaitingLedger } from "@apm-daemon/daemon";
import {
  type BatchRun,
  type LedgerReport,
  type LedgerTotals,
  SEALED_LOSS_REASONS,
} from "@apm-daemon/protocol";
import type { StoredLedger } from "./collector-ledger.ts";

export interface AuditSources {
  report: LedgerReport;
  journal: JournalRecount;
  outbox: readonly WaitingLedger[];
  /** Null when nothing of the stream is stored yet. */
  stored: StoredLedger | null;
  /** False when the audit is of an earlier time: then only the store is looked at. */
  isUpToNow: boolean;
}

export interface AppAudit {
  app: string;
  created: number;
  stored: number;
  outbox: number;
  journal: number;
  inFlight: number;
  lost: number;
  /** Lost spans by reason. */
  dropped: Record<string, number>;
}

export interface AuditResult {
  host: string;
  stream: string;
  /** Numbers of the audited batches: after `from`, up to `to`. */
  batches: { after: number; upTo: number };
  apps: AppAudit[];
  /** Spans that nobody can account for, and batches that are nowhere: a sentence each. Empty when all adds up. */
  differences: string[];
  /** Nothing is lost and nothing differs. */
  isComplete: boolean;
}

export function audit(sources: AuditSources): AuditResult {
  const { report, stored, isUpToNow } = sources;
  const opening = stored?.opening ?? { number: 0, apps: [] };
  const upTo = isUpToNow ? report.nextNumber - 1 : (stored?.closing.number ?? opening.number);
  const target = isUpToNow ? report.now : (stored?.closing.apps ?? []);
  const waiting = sources.outbox.filter(
    ({ number, isPart }) =>
      number > opening.number && number <= upTo && (isPart || !isCommitted(stored, number)),
  );
  const missing = missingNumbers(stored, waiting, opening.number, upTo).filter(
    (number) => !isWithin(report.givenUp ?? [], number),
  );
  const names = new Set([...target, ...opening.apps, ...(stored?.stored ?? [])].map(({ app }) => app));
  const differences: string[] = [];
  const apps: AppAudit[] = [...names].sort().map((app) => {
    const [from, to] = [totalsOf(opening.apps, app), totalsOf(target, app)];
    const entry = {
      app,
      created: to.created - from.created,
      stored: totalsOf(stored?.stored ?? [], app).received,
      outbox: sumOf(waiting, app, (row) => row.received),
      journal: isUpToNow ? unsealed(sources, app, differences) + movedSinceSeal(report, app) : 0,
      inFlight: isUpToNow ? (report.inFlight[app] ?? 0) : 0,
      dropped: difference(to.dropped, from.dropped),
    };
    const lost = Object.values(entry.dropped).reduce((sum, spans) => sum + spans, 0);
    const sealedReceived = isUpToNow ? totalsOf(report.sealed, app).received : to.received;
    const moved = isUpToNow ? movedSinceSeal(report, app) : 0;
    const absent = sealedReceived - from.received - entry.stored - entry.outbox - moved;
    if (absent !== 0) differences.push(absentSentence(app, absent, missing));
    if (isUpToNow) {
      const unknown = to.created - to.received - lostOf(to) - entry.inFlight;
      if (unknown !== 0)
        differences.push(`the daemon's ledger of ${app} does not add up: ${spansText(unknown)} too few`);
    }
    return { ...entry, lost };
  });
  if (missing.length > 0 && differences.length === 0)
    differences.push(`${batchesText(missing)} neither waiting nor stored; no span was in there`);
  if (report.overcounted > 0)
    differences.push(`${spansText(report.overcounted)} more were counted than agents say they sent`);
  const isComplete = differences.length === 0 && apps.every(({ lost }) => lost === 0);
  const { host, stream } = report;
  return { host, stream, batches: { after: opening.number, upTo }, apps, differences, isComplete };
}

/** Spans in the journal that no batch has yet; what the journal's frames say must be what the daemon counted. */
function unsealed({ report, journal }: AuditSources, app: string, differences: string[]): number {
  const [sealed, now] = [totalsOf(report.sealed, app), totalsOf(report.now, app)];
  const dropped = difference(now.dropped, sealed.dropped);
  const moved = SEALED_LOSS_REASONS.reduce((sum, reason) => sum + (dropped[reason] ?? 0), 0);
  const received = now.received - sealed.received;
  const counted = received + moved + (dropped["frame_malformed"] ?? 0);
  const found = journal.spans.get(app) ?? 0;
  if (found !== counted) {
    const damage = journal.unreadableBytes > 0 ? `; ${journal.unreadableBytes} bytes there are damaged` : "";
    differences.push(
      `the journal holds ${found} spans of ${app} that are not sealed, the daemon counted ${counted}${damage}`,
    );
  }
  return received;
}

/** Spans of sealed batches that were given up after the last seal: it counts them as received still, the ledger of now as lost. */
function movedSinceSeal({ now, sealed }: LedgerReport, app: string): number {
  const lost = (totals: readonly LedgerTotals[]): number => totalsOf(totals, app).dropped["outbox_full"] ?? 0;
  return lost(now) - lost(sealed);
}

function absentSentence(app: string, absent: number, missing: readonly number[]): string {
  if (absent < 0) return `${spansText(-absent)} of ${app} are stored or waiting that the daemon never sealed`;
  if (missing.length === 0)
    return `${spansText(absent)} of ${app} were sealed and are neither waiting nor stored`;
  return `${batchesText(missing)} neither waiting nor stored: ${spansText(absent)} of ${app} are missing`;
}

function isWithin(runs: readonly BatchRun[], number: number): boolean {
  return runs.some(({ first, last }) => number >= first && number <= last);
}

function isCommitted(stored: StoredLedger | null, number: number): boolean {
  return isWithin(stored?.committed ?? [], number);
}

/** Batches that were sealed and are nowhere now, though nobody gave them up, and waiting ones that cannot be read. */
function missingNumbers(
  stored: StoredLedger | null,
  waiting: readonly WaitingLedger[],
  after: number,
  upTo: number,
): number[] {
  const known = new Set(waiting.flatMap(({ number, ledger }) => (ledger === null ? [] : [number])));
  const missing: number[] = [];
  for (let number = after + 1; number <= upTo; number++)
    if (!known.has(number) && !isCommitted(stored, number)) missing.push(number);
  return missing;
}

function sumOf(
  waiting: readonly WaitingLedger[],
  app: string,
  pick: (row: { received: number }) => number,
): number {
  return waiting
    .flatMap(({ ledger }) => ledger ?? [])
    .filter((row) => row.app === app)
    .reduce((sum, row) => sum + pick(row), 0);
}

function totalsOf(totals: readonly LedgerTotals[], app: string): LedgerTotals {
  return totals.find((entry) => entry.app === app) ?? { app, created: 0, received: 0, dropped: {} };
}

function lostOf({ dropped }: LedgerTotals): number {
  return Object.values(dropped).reduce((sum, spans) => sum + spans, 0);
}

function difference(to: Record<string, number>, from: Record<string, number>): Record<string, number> {
  const entries = Object.entries(to).map(([reason, spans]) => [reason, spans - (from[reason] ?? 0)] as const);
  return Object.fromEntries(entries.filter(([, spans]) => spans !== 0));
}

function spansText(spans: number): string {
  return spans === 1 ? "1 span" : `${spans.toLocaleString("en-US")} spans`;
}

const MAX_NUMBERS_SHOWN = 10;

function batchesText(numbers: readonly number[]): string {
  const shown = numbers.slice(0, MAX_NUMBERS_SHOWN).join(", ");
  const more = numbers.length > MAX_NUMBERS_SHOWN ? ` and ${numbers.length - MAX_NUMBERS_SHOWN} more` : "";
  return numbers.length === 1 ? `batch ${shown} is` : `batches ${shown}${more} are`;
}
