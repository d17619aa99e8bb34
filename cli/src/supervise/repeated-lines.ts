/** What the log of a part holds at most of one kind of line, in so long. */
const LINES = 20;
const WITHIN_MS = 10_000;
/** Lines that begin alike are of one kind: what follows is often told from outside, and different each time. */
const KIND_CHARS = 24;
/** Kinds are told apart up to here; the others share one. The parts know about fifty. */
const MAX_KINDS = 500;

interface Kind {
  sinceMonoMs: number;
  lines: number;
  leftOut: number;
}

/** A line that may be written: `leftOut` of its kind were not, before it; `isLast` of them for now. */
export interface TakenLine {
  leftOut: number;
  isLast: boolean;
}

/** Bounds how often lines of one kind are written, so that nobody fills a disk with the log by doing one thing over and over. */
export class RepeatedLines {
  readonly #kinds = new Map<string, Kind>();
  readonly #monoMs: () => number;

  constructor(monoMs: () => number) {
    this.#monoMs = monoMs;
  }

  /** Null for a line to leave out. */
  take(level: number, message: string): TakenLine | null {
    const kind = this.#kindOf(`${level} ${message.slice(0, KIND_CHARS)}`);
    const now = this.#monoMs();
    const leftOut = kind.leftOut;
    if (now - kind.sinceMonoMs >= WITHIN_MS) Object.assign(kind, { sinceMonoMs: now, lines: 0, leftOut: 0 });
    if (kind.lines >= LINES) {
      kind.leftOut++;
      return null;
    }
    kind.lines++;
    return { leftOut: kind.lines === 1 ? leftOut : 0, isLast: kind.lines === LINES };
  }

  #kindOf(name: string): Kind {
    const key = this.#kinds.has(name) || this.#kinds.size < MAX_KINDS ? name : "(other)";
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      kind = { sinceMonoMs: this.#monoMs(), lines: 0, leftOut: 0 };
      this.#kinds.set(key, kind);
    }
    return kind;
  }
}
