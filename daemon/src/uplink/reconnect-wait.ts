import { Backoff } from "./backoff.ts";

const FIRST_MS = 500;
const MAX_MS = 30_000;
/** Longest pause that is believed of a server. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * When to connect again. One daemon alone comes back within half a second; of a thousand, which all lose the collector at the same
 * moment, each waits a random part of the spread that the collector had asked for, so that they come evenly. The spread holds
 * after failures too: those who tried while the collector was still away must not gather in the shorter waits of others.
 */
export class ReconnectWait {
  readonly #backoff: Backoff;
  #spreadMs = 0;

  constructor(random: () => number) {
    this.#backoff = new Backoff(FIRST_MS, MAX_MS, random);
  }

  /** What the collector asks for, however wrong; older ones ask for nothing. */
  spread(wantedMs: unknown): void {
    const isWanted = typeof wantedMs === "number" && Number.isFinite(wantedMs);
    this.#spreadMs = isWanted ? Math.min(Math.max(wantedMs, 0), MAX_MS) : 0;
  }

  /** Milliseconds to wait; `retryAfterMs` is waited first. */
  next(retryAfterMs = 0): number {
    return Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) + this.#backoff.next(this.#spreadMs);
  }

  /** The collector did its work: the next failure is a first one. */
  reset(): void {
    this.#backoff.reset();
  }
}

/** Milliseconds of a Retry-After header, seconds or a date (RFC 9110); 0 when there is none, or no sense in it. */
export function retryAfterMs(header: string | undefined, nowUnixMs: number): number {
  if (header === undefined) return 0;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1_000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? 0 : Math.max(0, dateMs - nowUnixMs);
}
