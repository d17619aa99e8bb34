import type { WatchedPart } from "./watchdog.ts";

export interface AttemptsOptions {
  name: string;
  /** An attempt must have come to its end within so long. */
  patienceMs: number;
  monoMs: () => number;
}

/** Work that is to be done over and over: it stalls when no attempt comes to an end in time. */
export class Attempts implements WatchedPart {
  readonly name: string;
  readonly #patienceMs: number;
  readonly #monoMs: () => number;
  #lastMonoMs: number;

  constructor(options: AttemptsOptions) {
    this.name = options.name;
    this.#patienceMs = options.patienceMs;
    this.#monoMs = options.monoMs;
    this.#lastMonoMs = options.monoMs();
  }

  /** An attempt came to its end. */
  note(): void {
    this.#lastMonoMs = this.#monoMs();
  }

  stall(): string {
    const silentMs = this.#monoMs() - this.#lastMonoMs;
    return silentMs > this.#patienceMs ? `nothing came of it for ${Math.round(silentMs / 1_000)} s` : "";
  }
}
