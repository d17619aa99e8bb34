import type { ConnectionGuard } from "./connection-guard.ts";
import { ReadingBudget } from "./reading-budget.ts";

/** What one user of this host has of the intake; where the kernel does not prove who it is, what one connection has. */
export class PeerAccount {
  /** Null when it is not proven. */
  readonly uid: number | null;
  readonly budget: ReadingBudget;
  readonly guards: Set<ConnectionGuard> = new Set();
  /** Since start. */
  bytes = 0;
  refused = 0;
  /** Of messages that have not come whole yet. */
  unfinishedBytes = 0;
  bytesPerSecond = 0;
  /** What it would take, as far as can be told. */
  demandBytesPerSecond = 0;
  /** When something was read last, and when somebody connected or wrote last. */
  activeMonoMs: number = Number.NEGATIVE_INFINITY;
  seenMonoMs: number;
  #bytesBefore = 0;
  #throttledMsBefore = 0;

  constructor(uid: number | null, bytesPerSecond: number, nowMonoMs: number, onDebt: () => void) {
    this.uid = uid;
    this.seenMonoMs = nowMonoMs;
    this.budget = new ReadingBudget(bytesPerSecond, nowMonoMs, onDebt);
  }

  /** Ends a span of time over which speed and demand are measured. */
  measure(seconds: number): void {
    this.bytesPerSecond = (this.bytes - this.#bytesBefore) / seconds;
    this.#bytesBefore = this.bytes;
    const wasThrottled = this.budget.throttledMs > this.#throttledMsBefore;
    this.#throttledMsBefore = this.budget.throttledMs;
    // Agents send in bursts: a quiet second does not mean that nothing more comes.
    const remembered = Number.isFinite(this.demandBytesPerSecond) ? this.demandBytesPerSecond * 0.8 : 0;
    this.demandBytesPerSecond =
      wasThrottled || this.budget.isThrottled
        ? Number.POSITIVE_INFINITY
        : Math.max(this.bytesPerSecond, remembered);
  }

  /** The connection that holds most of an unfinished message. */
  heaviest(): ConnectionGuard | null {
    let heaviest: ConnectionGuard | null = null;
    for (const guard of this.guards)
      if (heaviest === null || guard.unfinishedBytes > heaviest.unfinishedBytes) heaviest = guard;
    return heaviest;
  }
}
