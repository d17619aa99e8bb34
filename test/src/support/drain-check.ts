import { readStatus } from "./status-socket.ts";

/**
 * Answers whether the collector has acknowledged all that the daemon has journaled so far. Seals go on every second and their
 * batches come and go: those of before `sealed` caught up are gone once the oldest that waits is younger.
 */
export class DrainCheck {
  readonly #statusSocket: string;
  #position = Number.POSITIVE_INFINITY;
  #sealedUnixMs: number | null = null;

  constructor(statusSocket: string) {
    this.#statusSocket = statusSocket;
  }

  /** Null when all is acknowledged, else what is not; rejects when the daemon does not answer. */
  async missing(): Promise<string | null> {
    const { journal, outbox, uplink, problems } = await readStatus(this.#statusSocket);
    if (this.#position === Number.POSITIVE_INFINITY) this.#position = journal.position;
    if (journal.sealed >= this.#position) this.#sealedUnixMs ??= Date.now();
    const isSealed = this.#sealedUnixMs !== null;
    const isSent =
      isSealed && (outbox.oldestUnixMs === null || outbox.oldestUnixMs > (this.#sealedUnixMs ?? 0));
    return isSent ? null : JSON.stringify({ position: this.#position, journal, outbox, uplink, problems });
  }
}
