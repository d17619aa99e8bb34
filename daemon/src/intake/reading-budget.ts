/**
 * How fast one user's connections are read: a token bucket whose debt is paid by not reading.
 *
 *   open ──reads while in debt──► closed ──the debt is paid──► open
 *
 * A connection that reads while the bucket is empty is closed behind that chunk, and goes to the end of the queue; a debt beyond
 * the burst closes all at once. So nothing that was read is dropped, a turn of the event loop takes at most the burst and one
 * chunk, and the connections of one user take turns. The kernel's buffers fill, and the peers wait or count what they drop.
 */
export interface Valve {
  close(): void;
  open(): void;
}

/** libuv reads this much at most at once. */
const CHUNK_BYTES = 65_536;
const BURST_SECONDS = 0.25;
/** Who owes more has the rest remitted: a burst of connects must not be paid for minutes. */
const MAX_DEBT_SECONDS = 1;

export class ReadingBudget {
  readonly #onDebt: () => void;
  readonly #open = new Set<Valve>();
  #closed = new Set<Valve>();
  #bytesPerSecond: number;
  #bytes: number;
  #filledMonoMs: number;
  /** Time during which a connection was closed, since start. */
  throttledMs = 0;

  /** `onDebt` is told when the first connection is closed: from then on refill() has to be called some times a second. */
  constructor(bytesPerSecond: number, nowMonoMs: number, onDebt: () => void) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#bytes = this.#burstBytes;
    this.#filledMonoMs = nowMonoMs;
    this.#onDebt = onDebt;
  }

  get isThrottled(): boolean {
    return this.#closed.size > 0;
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  setRate(bytesPerSecond: number, nowMonoMs: number): void {
    this.refill(nowMonoMs);
    this.#bytesPerSecond = bytesPerSecond;
  }

  add(valve: Valve): void {
    this.#open.add(valve);
  }

  remove(valve: Valve): void {
    this.#open.delete(valve);
    this.#closed.delete(valve);
  }

  /** Notes what was read from a connection, or what it cost. */
  spend(valve: Valve, bytes: number, nowMonoMs: number): void {
    if (!this.isThrottled) this.#fill(nowMonoMs);
    this.#bytes = Math.max(this.#bytes - bytes, -MAX_DEBT_SECONDS * this.#bytesPerSecond);
    if (this.#bytes >= 0) return;
    const wasThrottled = this.isThrottled;
    this.#close(valve);
    if (this.#bytes < -this.#burstBytes && this.#open.size > 0) this.#closeAll();
    if (!wasThrottled && this.isThrottled) this.#onDebt();
  }

  /** Pays from the debt what time allows, and opens connections when it is paid. */
  refill(nowMonoMs: number): void {
    if (this.isThrottled) this.throttledMs += nowMonoMs - this.#filledMonoMs;
    this.#fill(nowMonoMs);
    if (this.#bytes < 0) return;
    let leftBytes = this.#burstBytes;
    for (const valve of this.#closed) {
      if (leftBytes <= 0) break;
      leftBytes -= CHUNK_BYTES;
      this.#closed.delete(valve);
      this.#open.add(valve);
      valve.open();
    }
  }

  get #burstBytes(): number {
    return Math.max(CHUNK_BYTES, this.#bytesPerSecond * BURST_SECONDS);
  }

  #fill(nowMonoMs: number): void {
    const gained = ((nowMonoMs - this.#filledMonoMs) / 1_000) * this.#bytesPerSecond;
    this.#bytes = Math.min(this.#burstBytes, this.#bytes + gained);
    this.#filledMonoMs = nowMonoMs;
  }

  #close(valve: Valve): void {
    if (!this.#open.delete(valve)) return;
    this.#closed.add(valve);
    valve.close();
  }

  /** Those that had not had their turn come first when it goes on. */
  #closeAll(): void {
    const waiting = [...this.#open];
    for (const valve of waiting) valve.close();
    this.#open.clear();
    this.#closed = new Set([...waiting, ...this.#closed]);
  }
}
