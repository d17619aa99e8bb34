import { isIPv6 } from "node:net";

/** Tries that an address has at once, and how often it gets another: 2 a minute. */
const OF_ADDRESS = { most: 5, everyMs: 30_000 };
/** The same for all addresses together that nobody logged in from: 20 a minute. */
const OF_ALL = { most: 30, everyMs: 3_000 };
const MAX_ADDRESSES = 10_000;
const MAX_KNOWN_ADDRESSES = 1_000;

/** Tries that come back one by one, as in a bucket that drips. */
class Tries {
  readonly #most: number;
  readonly #everyMs: number;
  #left: number;
  #atMs: number;

  constructor({ most, everyMs }: { most: number; everyMs: number }, nowMs: number) {
    this.#most = most;
    this.#everyMs = everyMs;
    this.#left = most;
    this.#atMs = nowMs;
  }

  /** 0 when there is one, else how long until then. */
  waitMs(nowMs: number): number {
    this.#left = Math.min(this.#most, this.#left + (nowMs - this.#atMs) / this.#everyMs);
    this.#atMs = nowMs;
    return this.#left >= 1 ? 0 : Math.ceil((1 - this.#left) * this.#everyMs);
  }

  take(): void {
    this.#left--;
  }
}

/**
 * How often passwords may be tried: by one address, and by all together, so that many machines are no faster. An address from
 * which somebody logged in before is not held up by what strangers try.
 */
export class LoginLimits {
  readonly #monoMs: () => number;
  readonly #addresses: Map<string, Tries> = new Map();
  readonly #known: Set<string> = new Set();
  readonly #all: Tries;

  constructor(monoMs: () => number) {
    this.#monoMs = monoMs;
    this.#all = new Tries(OF_ALL, monoMs());
  }

  /** Takes one try; 0 when there was one, else the milliseconds until the next. */
  take(address: string): number {
    const source = sourceOf(address);
    const nowMs = this.#monoMs();
    const own = this.#addresses.get(source) ?? new Tries(OF_ADDRESS, nowMs);
    const isKnown = this.#known.has(source);
    const waitMs = Math.max(own.waitMs(nowMs), isKnown ? 0 : this.#all.waitMs(nowMs));
    if (waitMs > 0) return waitMs;
    own.take();
    if (!isKnown) this.#all.take();
    keepNewest(this.#addresses, source, own);
    return 0;
  }

  /** Somebody logged in from there. */
  succeeded(address: string): void {
    const source = sourceOf(address);
    this.#addresses.delete(source);
    this.#known.delete(source);
    this.#known.add(source);
    const [oldest] = this.#known;
    if (this.#known.size > MAX_KNOWN_ADDRESSES && oldest !== undefined) this.#known.delete(oldest);
  }
}

function keepNewest(tries: Map<string, Tries>, source: string, own: Tries): void {
  tries.delete(source);
  tries.set(source, own);
  const [oldest] = tries.keys();
  if (tries.size > MAX_ADDRESSES && oldest !== undefined) tries.delete(oldest);
}

/** Who an address belongs to: of IPv6 a whole /64, which one machine has for itself. */
function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = "", tail] = (address.split("%", 1)[0] ?? "").toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after].slice(0, 4).join(":");
}
