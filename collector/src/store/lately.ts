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
    const known = this.#found.get(key);
    if (known !== undefined && atMs - known.atMs < this.#freshMs) return known.answer;
    const answer = askedByNobody(find);
    this.#found.delete(key);
    this.#found.set(key, { atMs, answer });
    const [oldest] = this.#found.keys();
    if (this.#found.size > MAX_ANSWERS) this.#found.delete(oldest as string);
    answer.catch(() => {
      if (this.#found.get(key)?.answer === answer) this.#found.delete(key);
    });
    return answer;
  }
}
