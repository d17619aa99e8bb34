import { askedByNobody } from "./asker.ts";

/** Beyond, the answer that was found first is forgotten. */
const MAX_ANSWERS = 1_000;

/** Answers that change seldom and that each open tab asks for again and again: found anew when they are older than `freshMs`. */
export class Lately<Answer> {
  readonly #freshMs: number;
  readonly #found: Map<string, { atMs: number; answer: Promise<Answer> }> = new Map();

  constructor(freshMs: number) {
    this.#freshMs = freshMs;
  }

  /** Rejects as `find` does, which is asked again then. */
  get(key: string, find: () => Promise<Answer>): Promise<Answer> {
    const atMs = performance.now();
    this.#forget(atMs);
    const known = this.#found.get(key);
    if (known !== undefined) return known.answer;
    const answer = askedByNobody(find);
    this.#found.set(key, { atMs, answer });
    answer.catch(() => {
      if (this.#found.get(key)?.answer === answer) this.#found.delete(key);
    });
    return answer;
  }

  /** What is not fresh any more, and the oldest ones of too many: the first ones. */
  #forget(nowMs: number): void {
    for (const [key, { atMs }] of this.#found) {
      if (nowMs - atMs < this.#freshMs && this.#found.size < MAX_ANSWERS) break;
      this.#found.delete(key);
    }
  }
}
