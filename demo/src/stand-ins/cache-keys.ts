/** More keys than the demo has products. */
const MAX_KEYS = 2_000;
const MAX_LIST_LENGTH = 1_000;

interface Entry {
  value: string;
  expiresMonoMs: number;
}

/** Texts and lists by key. As in a cache, the oldest key goes when there are too many, and an element that does not fit is not kept. */
export class CacheKeys {
  readonly #monoMs: () => number;
  readonly #texts = new Map<string, Entry>();
  readonly #lists = new Map<string, string[]>();

  constructor(monoMs: () => number) {
    this.#monoMs = monoMs;
  }

  get(key: string): string | null {
    const entry = this.#texts.get(key);
    if (entry === undefined) return null;
    if (entry.expiresMonoMs > this.#monoMs()) return entry.value;
    this.#texts.delete(key);
    return null;
  }

  set(key: string, value: string, livesMs: number): void {
    this.#texts.delete(key);
    this.#texts.set(key, { value, expiresMonoMs: this.#monoMs() + livesMs });
    if (this.#texts.size > MAX_KEYS) this.#dropOldest(this.#texts);
  }

  /** Adds at the head; the list's length. */
  push(key: string, element: string): number {
    const list = this.#lists.get(key) ?? [];
    if (list.length < MAX_LIST_LENGTH) list.unshift(element);
    this.#lists.set(key, list);
    if (this.#lists.size > MAX_KEYS) this.#dropOldest(this.#lists);
    return list.length;
  }

  /** Takes the last one. */
  pop(key: string): string | null {
    return this.#lists.get(key)?.pop() ?? null;
  }

  #dropOldest(map: Map<string, unknown>): void {
    const [oldest] = map.keys();
    if (oldest !== undefined) map.delete(oldest);
  }
}
