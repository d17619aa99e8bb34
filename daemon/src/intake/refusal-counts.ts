/** Why a connection was refused that broke no rule of the protocol. */
export const REFUSAL_REASONS = [
  "connections",
  "connections_per_uid",
  "hello_late",
  "message_late",
  "unfinished_bytes",
  "instance_of_other_uid",
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Refused connections since start, by reason. */
export class RefusalCounts {
  readonly #counts = new Map<RefusalReason, number>();

  add(reason: RefusalReason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  byReason(): Partial<Record<RefusalReason, number>> {
    return Object.fromEntries(this.#counts);
  }
}
