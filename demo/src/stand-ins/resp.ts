/**
 * Redis's protocol. A command is a list of texts: "*N" then N times "$BYTES" and the bytes, each line ended by CR LF.
 */

/** An encoded answer. */
export type Reply = string;

/** What the demo's apps send is shorter and fewer: more is not theirs. */
const MAX_WAITING_BYTES = 65_536;
const CR_LF = "\r\n";

/** Cuts what arrives into commands. */
export class RespReader {
  #waiting: Buffer = Buffer.alloc(0);
  #at = 0;

  /** The commands that a chunk completes. Throws for what is no command. */
  *read(chunk: Buffer): Generator<string[]> {
    this.#waiting = Buffer.concat([this.#waiting, chunk]);
    if (this.#waiting.length > MAX_WAITING_BYTES)
      throw new RangeError("a command is longer than the demo's are");
    for (let command = this.#next(); command !== null; command = this.#next()) yield command;
  }

  /** Null, with nothing taken, while it is not all there. */
  #next(): string[] | null {
    this.#at = 0;
    const count = this.#count("*");
    if (count === null) return null;
    const words: string[] = [];
    for (let i = 0; i < count; i++) {
      const bytes = this.#count("$");
      if (bytes === null || this.#waiting.length < this.#at + bytes + CR_LF.length) return null;
      words.push(this.#waiting.toString("utf8", this.#at, this.#at + bytes));
      this.#at += bytes + CR_LF.length;
    }
    this.#waiting = this.#waiting.subarray(this.#at);
    return words;
  }

  /** The number of a line that begins with `mark`. */
  #count(mark: "*" | "$"): number | null {
    const end = this.#waiting.indexOf(CR_LF, this.#at);
    if (end < 0) return null;
    const line = this.#waiting.toString("latin1", this.#at, end);
    const count = Number(line.slice(1));
    if (!line.startsWith(mark) || !Number.isInteger(count) || count < 0 || count > MAX_WAITING_BYTES)
      throw new RangeError(`"${line.slice(0, 40)}" does not begin a command`);
    this.#at = end + CR_LF.length;
    return count;
  }
}

export function bulk(value: string): Reply {
  return `$${Buffer.byteLength(value)}${CR_LF}${value}${CR_LF}`;
}

export function respError(sentence: string): Reply {
  return `-ERR ${sentence.replace(/[\r\n]/g, " ")}${CR_LF}`;
}
