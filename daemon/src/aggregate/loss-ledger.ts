/**
 * What became of every span of every app, to the span:
 *
 *   created (the agents' own count)  =  received  +  dropped, by reason  +  in flight
 *
 * Per instance the ledger knows how far its frames are accounted for (`framed`: spans of its SPANS frames; `reported`: drops of
 * its GAP frames). RUNTIME and BYE carry the agent's own numbers at their place in the sequence, so whatever happened to frames
 * on their way is found at the next one of them: spans that the agent framed and that were not accounted for are booked as lost,
 * with the reason that the recovery gave (`corrupt`, `journal_full`), else `unexplained`, which no run may ever show.
 *
 * Invariants
 * - per instance: framed + reported + ended <= created; the difference is in flight, which is derived and never stored.
 * - per app: totals.created = totals.received + all of totals.dropped + the in flight of its instances.
 * - totals are the sums of all rows drained since the stream began. They travel in the last batch of each seal, so whoever has
 *   two batches knows what the batches between them must add up to, whatever became of those.
 * - only frames, in journal order, change it while the daemon lives; a replay from the sealed position with `restore` of what was
 *   sealed gives the same rows. Two bookings come from elsewhere and are repeated, not doubled, when a crash undoes them: the
 *   end of an instance that is gone (`settle`), and batches that were lost after the seal (`move`): their numbers are in the state.
 *
 * Not promised: what an app created after its last frame, when it is killed. Nobody knows that number; `settle` books what is known.
 */
import type { BatchHeader, InstanceCounts, LedgerRow, LedgerState, LedgerTotals } from "@apm-daemon/protocol";
import { BatchRuns } from "./batch-runs.ts";
import { WINDOW_SEC } from "./window.ts";

/** The process a frame came from. */
export interface LedgerSource {
  readonly app: string;
  readonly instance: string;
  /** All its frames came to this state folder: its first count is 0. */
  readonly isKnownFromStart: boolean;
}

/** The agent's own count at a RUNTIME or BYE frame; null when it does not count. */
export interface AgentCounts {
  readonly spansCreated: number;
  readonly spansFramed: number | null;
  readonly spansReported: number | null;
}

/** What a lost batch said of spans. */
export interface LostRows {
  readonly number: number | null;
  readonly ledger: readonly LedgerRow[];
}

export type LossReason = "unexplained" | "corrupt" | "journal_full";

interface Instance extends InstanceCounts {
  /** False while nobody knows how many spans its frames held before the first one seen. */
  isAnchored: boolean;
  lossReason: LossReason;
  seenMonoMs: number;
}

/** Instances that were silent for this long are closed: what they had in flight will not come any more. */
const FORGET_AFTER_MS = 600_000;
const MAX_INSTANCES = 2_000;
/** Reasons of an app's agents that are told apart; agents name them, and the totals travel with every seal. */
const MAX_REASONS = 64;

export class LossLedger {
  readonly #rows = new Map<string, LedgerRow>();
  readonly #totals = new Map<string, LedgerTotals>();
  readonly #instances = new Map<string, Instance>();
  /** Numbers of batches whose rows were moved. */
  #givenUp = new BatchRuns();
  /** Losses found during a replay, until their reason is known; null outside of one. */
  #foundInReplay: { app: string; unixMs: number; spans: number }[] | null = null;
  readonly #droppedSinceStart: Record<string, Record<string, number>> = namesOnly();
  /** Spans journaled since start. */
  received = 0;
  /** Spans counted beyond what their agents say they sent, since start: a bug if it is ever more than 0. */
  overcounted = 0;
  /** Instances of which nobody knows what they sent before this state folder knew them, since start. */
  unanchored = 0;
  /** A wall clock that is set ahead must not make living processes silent ones. */
  readonly #monoMs: () => number;

  constructor(monoMs: () => number = () => performance.now()) {
    this.#monoMs = monoMs;
  }

  /** Spans of a SPANS frame: `counted` were counted, `malformed` could not be read. */
  countFrame(source: LedgerSource, receivedUnixMs: number, counted: number, malformed: number): void {
    const instance = this.#instance(source, receivedUnixMs);
    instance.framed = sum(instance.framed, counted + malformed);
    this.received += counted;
    this.#receive(source.app, receivedUnixMs, counted);
    if (malformed > 0) this.#drop(source.app, receivedUnixMs, "frame_malformed", malformed);
    this.#raise(instance, instance.framed + instance.reported + instance.ended, receivedUnixMs);
  }

  /** Drops that an agent told in a GAP. */
  countReported(
    source: LedgerSource,
    receivedUnixMs: number,
    dropped: Readonly<Record<string, number>>,
  ): void {
    const instance = this.#instance(source, receivedUnixMs);
    for (const [reason, spans] of Object.entries(dropped)) {
      instance.reported = sum(instance.reported, spans);
      this.#drop(source.app, receivedUnixMs, this.#reasonOf(source.app, reason), spans);
    }
    this.#raise(instance, instance.framed + instance.reported + instance.ended, receivedUnixMs);
  }

  /** Compares with the agent's own count, and books what is missing. */
  noteAgentCounts(source: LedgerSource, receivedUnixMs: number, counts: AgentCounts): void {
    const instance = this.#instance(source, receivedUnixMs);
    const { spansCreated, spansFramed, spansReported } = counts;
    if (spansFramed !== null && spansReported !== null) {
      if (instance.isAnchored) {
        this.#compareFramed(instance, spansFramed, receivedUnixMs);
        this.#compareReported(instance, spansReported, receivedUnixMs);
        if (this.#foundInReplay === null) instance.lossReason = "unexplained";
      } else anchor(instance, spansFramed, spansReported);
    }
    this.#raise(instance, spansCreated, receivedUnixMs);
    this.#raise(instance, instance.framed + instance.reported + instance.ended, receivedUnixMs);
  }

  /** The instance is gone for good: what it still had will not come. Answers how many spans that are, as far as known. */
  settle(instanceId: string, nowUnixMs: number): number {
    const instance = this.#instances.get(instanceId);
    if (instance === undefined) return 0;
    const inFlight = inFlightOf(instance);
    if (inFlight > 0) this.#drop(instance.app, nowUnixMs, "app_crash_window", inFlight);
    instance.ended += inFlight;
    return inFlight;
  }

  /**
   * Books a batch that will never be stored, once: what its rows said was received is dropped for `reason`; what they said was
   * created or dropped is said again, since nobody else will. `number` is null for a batch of another stream.
   */
  move({ number, ledger: rows }: LostRows, reason: string): void {
    if (number !== null) {
      if (this.#givenUp.knows(number)) return;
      this.#givenUp.add(number);
    }
    for (const { tsSec, app, received, created, dropped } of rows) {
      const row = this.#row(app, tsSec * 1_000);
      row.created = (row.created ?? 0) + (created ?? 0);
      for (const [name, spans] of Object.entries(dropped)) row.dropped[name] = sum(row.dropped[name], spans);
      this.#moveReceived(app, row, received, reason);
    }
  }

  /**
   * Books rows that a collector will never take, although it has what the ledger said of them: their spans were received and
   * are counted nowhere. A refused ledger row is not told again, since it would be refused again: the totals show it missing.
   */
  moveRefused({ actions, operations }: Pick<BatchHeader, "actions" | "operations">): void {
    for (const { tsSec, app, requests } of actions) this.#moveCounted(tsSec, app, requests);
    for (const { tsSec, app, calls } of operations) this.#moveCounted(tsSec, app, calls);
  }

  /** Spans lost since start, by app and reason. */
  dropped(): Record<string, Record<string, number>> {
    return this.#droppedSinceStart;
  }

  /** All that must survive a crash, as of now. Closes instances that have been silent for long. */
  state(nowUnixMs: number): LedgerState {
    const nowMonoMs = this.#monoMs();
    const givenUp = this.#givenUp.runs();
    for (const [id, { seenMonoMs }] of this.#instances)
      if (nowMonoMs - seenMonoMs > FORGET_AFTER_MS) this.#forget(id, nowUnixMs);
    return {
      apps: [...this.#totals.values()].map((totals) => ({ ...totals, dropped: { ...totals.dropped } })),
      instances: [...this.#instances.values()]
        .filter(({ isAnchored }) => isAnchored)
        .map(({ instance, app, created, framed, reported, ended }) => ({
          instance,
          app,
          created,
          framed,
          reported,
          ended,
        })),
      ...(givenUp.length === 0 ? {} : { givenUp }),
    };
  }

  /** Goes on from what was sealed; the replay follows, and then `explainLosses`. */
  restore({ apps, instances, givenUp }: LedgerState): void {
    this.#givenUp = new BatchRuns(givenUp);
    this.#rows.clear();
    this.#totals.clear();
    this.#instances.clear();
    for (const name of Object.keys(this.#droppedSinceStart)) delete this.#droppedSinceStart[name];
    this.received = 0;
    this.overcounted = 0;
    this.unanchored = 0;
    for (const totals of apps)
      this.#totals.set(totals.app, { ...totals, dropped: Object.assign(namesOnly(), totals.dropped) });
    for (const counts of instances) {
      const lossReason = "unexplained";
      this.#instances.set(counts.instance, {
        ...counts,
        isAnchored: true,
        lossReason,
        seenMonoMs: this.#monoMs(),
      });
    }
    this.#foundInReplay = [];
  }

  /** Ends a replay: only now it is known why frames may be missing, those that turn out to be missing later among them. */
  explainLosses(reason: LossReason): void {
    for (const { app, unixMs, spans } of this.#foundInReplay ?? []) this.#drop(app, unixMs, reason, spans);
    this.#foundInReplay = null;
    for (const instance of this.#instances.values()) instance.lossReason = reason;
  }

  /** Spans that agents have and the daemon does not have yet, by app. */
  inFlight(): Map<string, number> {
    const spans = new Map<string, number>();
    for (const instance of this.#instances.values())
      spans.set(instance.app, (spans.get(instance.app) ?? 0) + inFlightOf(instance));
    return spans;
  }

  drain(): LedgerRow[] {
    const rows = [...this.#rows.values()];
    this.#rows.clear();
    return rows;
  }

  #compareFramed(instance: Instance, told: number, unixMs: number): void {
    const { app, framed, lossReason } = instance;
    const spans = told - framed;
    instance.framed = told;
    if (spans < 0) this.overcounted = sum(this.overcounted, -spans);
    if (spans <= 0) return;
    if (this.#foundInReplay === null) this.#drop(app, unixMs, lossReason, spans);
    else this.#foundInReplay.push({ app, unixMs, spans });
  }

  #compareReported(instance: Instance, told: number, unixMs: number): void {
    const spans = told - instance.reported;
    instance.reported = told;
    if (spans < 0) this.overcounted = sum(this.overcounted, -spans);
    else if (spans > 0) this.#drop(instance.app, unixMs, "agent_reason_lost", spans);
  }

  /** Books what an instance has created beyond what was known. */
  #raise(instance: Instance, created: number, unixMs: number): void {
    const more = Math.min(created, Number.MAX_SAFE_INTEGER) - instance.created;
    if (more <= 0) return;
    instance.created += more;
    const row = this.#row(instance.app, unixMs);
    row.created = sum(row.created, more);
    const totals = this.#totalsOf(instance.app);
    totals.created = sum(totals.created, more);
  }

  #receive(app: string, unixMs: number, spans: number): void {
    this.#row(app, unixMs).received += spans;
    const totals = this.#totalsOf(app);
    totals.received = sum(totals.received, spans);
  }

  #drop(app: string, unixMs: number, reason: string, spans: number): void {
    const row = this.#row(app, unixMs);
    const totals = this.#totalsOf(app);
    const sinceStart = (this.#droppedSinceStart[app] ??= namesOnly());
    for (const counts of [row.dropped, totals.dropped, sinceStart])
      counts[reason] = sum(counts[reason], spans);
  }

  #moveCounted(tsSec: number, app: string, spans: number): void {
    const row = this.#row(app, tsSec * 1_000);
    row.received -= spans;
    this.#moveReceived(app, row, spans, "dead_letter");
  }

  #reasonOf(app: string, told: string): string {
    const { dropped } = this.#totalsOf(app);
    return told in dropped || Object.keys(dropped).length < MAX_REASONS ? told : "other";
  }

  #moveReceived(app: string, row: LedgerRow, spans: number, reason: string): void {
    if (spans === 0) return;
    const totals = this.#totalsOf(app);
    totals.received -= spans;
    const sinceStart = (this.#droppedSinceStart[app] ??= namesOnly());
    for (const counts of [row.dropped, totals.dropped, sinceStart])
      counts[reason] = sum(counts[reason], spans);
  }

  #forget(id: string, nowUnixMs: number): void {
    this.settle(id, nowUnixMs);
    this.#instances.delete(id);
  }

  #instance(source: LedgerSource, nowUnixMs: number): Instance {
    let instance = this.#instances.get(source.instance);
    if (instance === undefined) {
      const [oldest] = this.#instances.keys();
      if (this.#instances.size >= MAX_INSTANCES && oldest !== undefined) this.#forget(oldest, nowUnixMs);
      if (!source.isKnownFromStart) this.unanchored++;
      instance = {
        instance: source.instance,
        app: source.app,
        created: 0,
        framed: 0,
        reported: 0,
        ended: 0,
        isAnchored: source.isKnownFromStart,
        lossReason: "unexplained",
        seenMonoMs: this.#monoMs(),
      };
      this.#instances.set(source.instance, instance);
    }
    instance.seenMonoMs = this.#monoMs();
    return instance;
  }

  #totalsOf(app: string): LedgerTotals {
    let totals = this.#totals.get(app);
    if (totals === undefined) {
      totals = { app, created: 0, received: 0, dropped: namesOnly() };
      this.#totals.set(app, totals);
    }
    return totals;
  }

  #row(app: string, unixMs: number): LedgerRow {
    const tsSec = Math.floor(unixMs / 1e3 / WINDOW_SEC) * WINDOW_SEC;
    const key = `${tsSec} ${app}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = { tsSec, app, created: 0, received: 0, dropped: namesOnly() };
      this.#rows.set(key, row);
    }
    return row;
  }
}

function inFlightOf({ created, framed, reported, ended }: InstanceCounts): number {
  return Math.max(0, created - framed - reported - ended);
}

/** From here on its counts are the agent's; what came before it was first seen is not this ledger's. */
function anchor(instance: Instance, spansFramed: number, spansReported: number): void {
  instance.created = sum(instance.created, spansFramed - instance.framed + spansReported - instance.reported);
  instance.framed = spansFramed;
  instance.reported = spansReported;
  instance.isAnchored = true;
}

/** Counts from outside may be huge; they stay whole numbers that a batch can hold. */
function sum(count: number | undefined, more: number): number {
  return Math.min((count ?? 0) + more, Number.MAX_SAFE_INTEGER);
}

/** Apps and reasons are named from outside: "constructor" and "__proto__" are names like any other here. */
function namesOnly<Value>(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>;
}
