import type { Logger } from "pino";

type Level = "info" | "warn";

interface OpenWindow {
  level: Level;
  endsMonoMs: number;
  count: number;
  fields: Record<string, unknown>;
  sentence: string;
}

const WINDOW_MS = 10_000;

/**
 * Log lines of which a flood may come: of each kind one line in 10 s. What came after it is told in one more line at the end of
 * the 10 s, the last of them with the count of all.
 */
export class RepeatedEvents {
  readonly #log: Logger;
  readonly #monoMs: () => number;
  readonly #windows = new Map<string, OpenWindow>();

  constructor(log: Logger, monoMs: () => number) {
    this.#log = log;
    this.#monoMs = monoMs;
  }

  /** `kind` must be one of few; what peers say belongs into the fields. */
  note(level: Level, kind: string, fields: Record<string, unknown>, sentence: string): void {
    const now = this.#monoMs();
    const open = this.#windows.get(kind);
    if (open !== undefined && now < open.endsMonoMs) {
      Object.assign(open, { level, fields, sentence, count: open.count + 1 });
      return;
    }
    if (open !== undefined) this.#tell(open);
    this.#log[level](fields, sentence);
    this.#windows.set(kind, { level, fields, sentence, count: 0, endsMonoMs: now + WINDOW_MS });
  }

  /** Tells the counts of the windows that are over. To be called about once a second. */
  tick(): void {
    const now = this.#monoMs();
    for (const [kind, open] of this.#windows) if (now >= open.endsMonoMs) this.#end(kind, open);
  }

  /** Tells all counts now. */
  finish(): void {
    for (const [kind, open] of this.#windows) this.#end(kind, open);
  }

  #end(kind: string, open: OpenWindow): void {
    this.#windows.delete(kind);
    this.#tell(open);
  }

  #tell({ level, fields, sentence, count }: OpenWindow): void {
    if (count === 0) return;
    this.#log[level](
      { ...fields, times: count },
      count === 1 ? sentence : `${sentence} (${count} times in 10 s)`,
    );
  }
}
