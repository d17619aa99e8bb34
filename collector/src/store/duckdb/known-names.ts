/** What is stored stays for days. */
const FRESH_MS = 60_000;
const MAX_NAMES = 10_000;

/** Names that were found lately: asking for them again and again would cost a query each. */
export class KnownNames {
  readonly #foundMs: Map<string, number> = new Map();

  async has(name: string, find: () => Promise<boolean>): Promise<boolean> {
    const nowMs = performance.now();
    const foundMs = this.#foundMs.get(name);
    if (foundMs !== undefined && nowMs - foundMs < FRESH_MS) return true;
    const isFound = await find();
    this.#foundMs.delete(name);
    if (isFound) this.#foundMs.set(name, nowMs);
    const [oldest] = this.#foundMs.keys();
    if (this.#foundMs.size > MAX_NAMES) this.#foundMs.delete(oldest as string);
    return isFound;
  }
}
