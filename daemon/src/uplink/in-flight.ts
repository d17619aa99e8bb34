import { type BatchIdentity, MAX_UPLINK_MESSAGE_BYTES } from "@apm-daemon/protocol";

export interface SentBatch {
  key: string;
  bytes: number;
  /** Its place in the order of sending, from 1. */
  place: number;
  /** When the collector had received it, monotonic; null before. */
  receivedMs: number | null;
}

/** A collector that commits in groups has several under way; when each commit takes 5 s, eight are still several times the live rate. */
const MAX_BACKLOG = 8;
/** Places for what is sealed meanwhile. */
const MAX_BATCHES = 10;
const MAX_BYTES = 2 * MAX_UPLINK_MESSAGE_BYTES;

/**
 * Batches that were sent and not answered. It bounds what is in the socket's buffer, and what a fresh batch may have to wait for:
 * of the backlog only one batch is on the line at a time, the next follows when that one has been received, which a
 * ping behind it tells. Commits may take as long as they like meanwhile.
 */
export class InFlight {
  readonly #batches: Map<string, SentBatch> = new Map();
  #places = 0;
  #receivedPlaces = 0;
  bytes = 0;

  get size(): number {
    return this.#batches.size;
  }

  has(key: string): boolean {
    for (const batch of this.#batches.values()) if (batch.key === key) return true;
    return false;
  }

  /** Whether more may be sent, and if so, only what is fresh. */
  get room(): "none" | "fresh" | "any" {
    if (this.size >= MAX_BATCHES) return "none";
    return this.size >= MAX_BACKLOG || this.#receivedPlaces < this.#places ? "fresh" : "any";
  }

  hasRoomFor(bytes: number): boolean {
    return this.size === 0 || this.bytes + bytes <= MAX_BYTES;
  }

  /** Returns the batch's place, which `received` understands. */
  add(identity: BatchIdentity, key: string, bytes: number): number {
    const place = ++this.#places;
    this.#batches.set(nameOf(identity), { key, bytes, place, receivedMs: null });
    this.bytes += bytes;
    return place;
  }

  /** All up to this place have been received. */
  received(place: number, nowMs: number): void {
    if (!(place > this.#receivedPlaces && place <= this.#places)) return;
    this.#receivedPlaces = place;
    for (const batch of this.#batches.values())
      if (batch.place <= place && batch.receivedMs === null) batch.receivedMs = nowMs;
  }

  /** Takes out the batch that was answered; null when none such was sent. */
  answered(identity: BatchIdentity): SentBatch | null {
    const name = nameOf(identity);
    const batch = this.#batches.get(name) ?? null;
    if (batch === null) return null;
    this.#batches.delete(name);
    this.bytes -= batch.bytes;
    this.#receivedPlaces = Math.max(this.#receivedPlaces, batch.place);
    return batch;
  }

  /** When the one was received that waits longest for its answer; infinite when none waits. */
  oldestReceivedMs(): number {
    return Math.min(...[...this.#batches.values()].map(({ receivedMs }) => receivedMs ?? Infinity), Infinity);
  }

  /** The largest of those that may not have been received. */
  largestUnreceived(): SentBatch | null {
    const unreceived = [...this.#batches.values()].filter(({ receivedMs }) => receivedMs === null);
    return unreceived.sort((a, b) => b.bytes - a.bytes)[0] ?? null;
  }

  clear(): void {
    this.#batches.clear();
    this.bytes = 0;
    this.#receivedPlaces = this.#places;
  }
}

function nameOf({ stream, number }: BatchIdentity): string {
  return `${stream}/${number}`;
}
