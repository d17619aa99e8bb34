import type { ReceivedBatch } from "./batch-rows.ts";
import { StoreError } from "./store-error.ts";

export interface GroupCommitOptions {
  /** Writes all or none. */
  commit(batches: readonly ReceivedBatch[]): Promise<void>;
  /** Least time from the start of one commit to the next, in which batches gather. */
  intervalMs: number;
  maxGroup: number;
  maxPending: number;
  maxPendingBytes: number;
}

interface Waiting {
  received: ReceivedBatch;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Commits batches in groups, one group at a time: a commit costs nearly the same for one batch as for twenty. After a
 * quiet time the first batch is committed at once.
 *
 * A group that fails is tried batch by batch, so that a bad one never harms the others.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: Waiting[] = [];
  #pending = 0;
  #pendingBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #committing: Promise<void> | null = null;
  /** Monotonic. */
  #startedMs = Number.NEGATIVE_INFINITY;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Resolves when the batch is committed. Throws BUSY at once when too many wait. */
  add(received: ReceivedBatch): Promise<void> {
    const { maxPending, maxPendingBytes, maxGroup } = this.#options;
    if (this.#pending >= maxPending || this.#pendingBytes + received.bytes > maxPendingBytes) {
      throw new StoreError("BUSY", `${this.#pending} batches wait for the store already`, 1_000);
    }
    this.#pending++;
    this.#pendingBytes += received.bytes;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ received, resolve, reject });
      if (this.#waiting.length >= maxGroup) this.#start();
      else this.#startInTime();
    });
  }

  /** Commits what waits now. */
  async drain(): Promise<void> {
    while (this.#pending > 0) {
      this.#start();
      await this.#committing;
    }
  }

  #startInTime(): void {
    const waitMs = Math.max(0, this.#startedMs + this.#options.intervalMs - performance.now());
    this.#timer ??= setTimeout(() => this.#start(), waitMs);
  }

  #start(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#committing) return;
    this.#startedMs = performance.now();
    this.#committing = this.#commitWaiting().finally(() => {
      this.#committing = null;
      if (this.#waiting.length >= this.#options.maxGroup) this.#start();
      else if (this.#waiting.length > 0) this.#startInTime();
    });
  }

  async #commitWaiting(): Promise<void> {
    const group = this.#waiting.splice(0, this.#options.maxGroup);
    try {
      await this.#commit(group);
    } catch (error) {
      if (group.length === 1) return this.#settle(group, (batch) => batch.reject(error));
      for (const batch of group) {
        await this.#commit([batch]).catch((alone: unknown) =>
          this.#settle([batch], () => batch.reject(alone)),
        );
      }
    }
  }

  async #commit(group: Waiting[]): Promise<void> {
    await this.#options.commit(group.map((batch) => batch.received));
    this.#settle(group, (batch) => batch.resolve());
  }

  #settle(group: Waiting[], end: (batch: Waiting) => void): void {
    for (const batch of group) {
      this.#pending--;
      this.#pendingBytes -= batch.received.bytes;
      end(batch);
    }
  }
}
