/**
 * Between the connections and the journal.
 *
 *   open --a write fails, or must not be tried--> closed --all that waits is written--> open
 *
 * Invariants: what waits is at most one read of each connection, which reads no more meanwhile; writes happen in the order in
 * which they came, and nothing is acknowledged before its write. While closed the oldest is tried every RETRY_MS. An episode is
 * logged at its start and its end.
 */
import type { Logger } from "pino";
import { isSystemError } from "../disk/disk-problem.ts";

export interface WaitingWrite {
  owner: object;
  /** Throws the file system's error when it could not be done; then it is as if it had not been tried. */
  write: () => void;
  /** It is done, after it had to wait. */
  written: () => void;
  /** It threw something else after it had waited: trying again would not help. */
  failed: (error: unknown) => void;
}

export interface WriteGateOptions {
  /** Why nothing may be written now, whatever the disk says; "" when it may. */
  hold: () => string;
  /** A sentence for the file system's error. */
  describe: (error: NodeJS.ErrnoException) => string;
  log: Logger;
}

const RETRY_MS = 500;

export class WriteGate {
  readonly #options: WriteGateOptions;
  #waiting: WaitingWrite[] = [];
  #timer: NodeJS.Timeout | null = null;
  #closedAtMs = 0;
  /** Why nothing is taken in; "" while it is. */
  problem = "";
  /** Times that the gate had to close, since start. */
  closings = 0;

  constructor(options: WriteGateOptions) {
    this.#options = options;
  }

  /** Connections whose frames wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Does a write now, and answers true; or lets it wait until it can be done. Throws what is not the system's error. */
  run(write: WaitingWrite): boolean {
    if (this.#waiting.length === 0 && this.#try(write)) return true;
    this.#waiting.push(write);
    this.#timer ??= setInterval(() => this.#tryAgain(), RETRY_MS);
    return false;
  }

  /** Drops what an owner that is gone had waiting: it was not acknowledged. */
  forget(owner: object): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((write) => write.owner !== owner);
    if (this.#waiting.length === 0) this.#open();
  }

  #try({ write }: WaitingWrite): boolean {
    const held = this.#options.hold();
    if (held !== "") {
      this.#close(held);
      return false;
    }
    try {
      write();
      return true;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#close(this.#options.describe(error), error);
      return false;
    }
  }

  #tryAgain(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        if (!this.#try(next)) return;
        this.#waiting.shift();
        next.written();
      } catch (error) {
        this.#waiting.shift();
        next.failed(error);
      }
    }
    this.#open();
  }

  #close(problem: string, error?: Error): void {
    if (this.problem === "") {
      this.closings++;
      this.#closedAtMs = performance.now();
      this.#options.log.error({ err: error }, problem);
    }
    this.problem = problem;
  }

  #open(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (this.problem === "") return;
    this.problem = "";
    const seconds = Math.round((performance.now() - this.#closedAtMs) / 1_000);
    this.#options.log.info({ seconds }, "spans are taken in again");
  }
}
