/** What the agent says to people: at most one line per subject on stderr, and nothing when switched off. */
export class AgentLog {
  readonly #write: (line: string) => void;
  readonly #said = new Set<string>();
  #internalErrors = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Errors inside the agent itself since start; none of them reached the app. */
  get internalErrors(): number {
    return this.#internalErrors;
  }

  /** Says a sentence unless this subject was spoken of before. */
  sayOnce(subject: string, sentence: string): void {
    if (this.#said.has(subject)) return;
    this.#said.add(subject);
    try {
      this.#write(`apm-daemon agent: ${sentence}\n`);
    } catch {
      // stderr may be closed; the app must not notice.
    }
  }

  /** Counts an error of the agent's own and says the first one of each place. */
  internalError(place: string, error: unknown): void {
    this.#internalErrors++;
    const message = error instanceof Error ? error.message : String(error);
    this.sayOnce(
      `internal ${place}`,
      `internal error in ${place}, the app is unaffected: ${message}. Please report it; APM_DISABLED=1 switches the agent off.`,
    );
  }
}
