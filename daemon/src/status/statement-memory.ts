import type { StatementRow } from "@apm-daemon/protocol";

const MAX_STATEMENTS = 1_000;
/** Enough to know it by. */
const MAX_CHARS = 400;
/** A letter that is not Latin takes two bytes; about that much more goes for the entry. */
const BYTES_PER_CHAR = 2;
const BYTES_PER_ENTRY = 200;

/** The beginnings of the statements that apps told last, by fingerprint. */
export class StatementMemory {
  readonly #texts = new Map<string, string>();
  #chars = 0;

  get bytes(): number {
    return this.#chars * BYTES_PER_CHAR + this.#texts.size * BYTES_PER_ENTRY;
  }

  add(rows: readonly StatementRow[]): void {
    for (const { fingerprint, text } of rows) {
      if (text === "") continue;
      this.#forget(fingerprint);
      // A slice would hold on to the whole.
      const kept = Buffer.from(text.slice(0, MAX_CHARS)).toString();
      this.#texts.set(fingerprint, kept);
      this.#chars += kept.length;
      const [oldest] = this.#texts.keys();
      if (this.#texts.size > MAX_STATEMENTS && oldest !== undefined) this.#forget(oldest);
    }
  }

  /** "" where it is not known. */
  textOf(fingerprint: string): string {
    return this.#texts.get(fingerprint) ?? "";
  }

  #forget(fingerprint: string): void {
    this.#chars -= this.#texts.get(fingerprint)?.length ?? 0;
    this.#texts.delete(fingerprint);
  }
}
