/**
 * Events on their way into a batch.
 *
 *   made ──take()──► marked with the seal's first batch number ──sealed()──► gone
 *
 * The mark is on the disk before the batch is: after a crash the cursor tells whether that seal came to its end, so an event
 * is in exactly one batch. Should the mark not get onto the disk (a folder that refuses writing), the event may come twice,
 * under one id, by which the collector knows it.
 */
import { type AppEvent, MAX_EVENTS_PER_BATCH, type StatusEvent } from "@apm-daemon/protocol";

export interface PendingEvent {
  event: AppEvent;
  sealing: { stream: string; number: number } | null;
}

/** More ends than this before a seal are a storm: the oldest reports go, counted. */
const MAX_PENDING = 500;
const MAX_RECENT = 10;

export class EventLog {
  #pending: PendingEvent[];
  #recent: StatusEvent[];
  /** Events given up because too many waited, since start. */
  dropped = 0;

  constructor(
    pending: readonly PendingEvent[],
    recent: readonly StatusEvent[],
    cursor: { stream: string; nextNumber: number },
  ) {
    this.#pending = pending
      .filter(({ sealing }) => !(sealing?.stream === cursor.stream && sealing.number < cursor.nextNumber))
      .map(({ event }) => ({ event, sealing: null }));
    this.#recent = [...recent];
  }

  get pending(): readonly PendingEvent[] {
    return this.#pending;
  }

  /** The newest events, newest first. */
  get recent(): readonly StatusEvent[] {
    return this.#recent;
  }

  add(event: AppEvent): void {
    const { tsMs, app, pid, kind, title } = event;
    this.#recent = [{ tsMs, app, pid, kind, title }, ...this.#recent].slice(0, MAX_RECENT);
    this.#pending.push({ event, sealing: null });
    const oldest = this.#pending.findIndex(({ sealing }) => sealing === null);
    if (this.#pending.length <= MAX_PENDING) return;
    this.#pending.splice(oldest, 1);
    this.dropped++;
  }

  /** Events for the seal that begins with batch `number`, oldest first; what is too much waits for the next. */
  take(stream: string, number: number): AppEvent[] {
    const taken = this.#pending.filter(({ sealing }) => sealing === null).slice(0, MAX_EVENTS_PER_BATCH);
    for (const pending of taken) pending.sealing = { stream, number };
    return taken.map(({ event }) => event);
  }

  /** The seal that took events is committed. True when it had any. */
  sealed(): boolean {
    const before = this.#pending.length;
    this.#pending = this.#pending.filter(({ sealing }) => sealing === null);
    return this.#pending.length < before;
  }
}
