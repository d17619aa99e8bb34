import { closeSync, openSync, readSync } from "node:fs";

/** Reads between two attempts to open a file that is not there: opening costs more than reading. */
const REOPEN_AFTER_READS = 60;
/** As a kernel answers that was built or booted without what the file would tell. */
const ABSENT_CODES = new Set(["EOPNOTSUPP", "ENOTSUP", "ENODEV"]);
const START_BYTES = 16_384;
/** /proc/stat of a host with thousands of cores stays below; more is not a file of counters. */
const MAX_BYTES = 8_388_608;

const NEWLINE = 10;
const SPACE = 32;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const COLON = 58;

/** A kernel file that is opened once and read again and again from its start. */
export class ProcFile {
  readonly path: string;
  /** Numbers that were found in it since it was read last; kept by the scanner. */
  numbersFound = 0;
  #fd = -1;
  #readsUntilOpen = 0;
  #length = 0;
  /** Why it could not be read the last time; "" when it could. */
  #code = "";
  #wasRead = false;

  constructor(path: string) {
    this.path = path;
  }

  /** What is wrong with it and what to do; "" when it was read and understood, and when this kernel never had it. */
  get problem(): string {
    if (this.#code === "") {
      if (this.#length === 0 || this.numbersFound > 0) return "";
      return `no number was found in ${this.path}, what it tells is missing: report its content with the kernel's version (uname -r)`;
    }
    if (ABSENT_CODES.has(this.#code) || (this.#code === "ENOENT" && !this.#wasRead)) return "";
    if (this.#code === "ENOENT")
      return `${this.path} was there and has gone, what it tells is missing and it is looked for once a minute: see what was unmounted or unloaded`;
    return `${this.path} cannot be read (${this.#code}), what it tells is missing and it is tried once a minute: let the daemon's user read it`;
  }

  /** Reads at most `into`'s size; -1 when the kernel does not have the file or refuses it. */
  read(into: Uint8Array): number {
    this.numbersFound = 0;
    this.#length = 0;
    if (this.#fd < 0 && !this.#open()) return -1;
    try {
      this.#length = readWhole(this.#fd, into);
      this.#wasRead = true;
      return this.#length;
    } catch (error) {
      this.close();
      this.#failed(error);
      return -1;
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #open(): boolean {
    if (this.#readsUntilOpen > 0) {
      this.#readsUntilOpen--;
      return false;
    }
    try {
      this.#fd = openSync(this.path, "r");
      this.#code = "";
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    this.#readsUntilOpen = REOPEN_AFTER_READS;
    this.#code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  }
}

/** The kernel hands out at most a page per call for many files, so one read is not enough. */
function readWhole(fd: number, into: Uint8Array): number {
  let length = 0;
  while (length < into.length) {
    const count = readSync(fd, into, length, into.length - length, length);
    if (count === 0) break;
    length += count;
  }
  return length;
}

/**
 * A cursor over the bytes of the file read last. One scanner serves many files, so that a tick allocates nothing.
 * An unfinished last line is ignored: half a number is worse than none.
 */
export class ProcScanner {
  #bytes: Buffer = Buffer.allocUnsafe(START_BYTES);
  #end = 0;
  #at = 0;
  #file: ProcFile | null = null;

  /** Reads the whole file and stands at its first line; false when it is absent or empty. */
  read(file: ProcFile): boolean {
    let length = file.read(this.#bytes);
    while (length === this.#bytes.length && length < MAX_BYTES) {
      this.#bytes = Buffer.allocUnsafe(length * 2);
      length = file.read(this.#bytes);
    }
    this.#stand(length);
    this.#file = file;
    return this.#end > 0;
  }

  /** As `read`, for a file that is read seldom, such as a process's. */
  readOnce(path: string): boolean {
    let fd: number;
    try {
      fd = openSync(path, "r");
    } catch {
      return this.#stand(-1);
    }
    try {
      return this.#stand(readSync(fd, this.#bytes, 0, this.#bytes.length, 0));
    } catch {
      return this.#stand(-1);
    } finally {
      closeSync(fd);
    }
  }

  /** As `read`, by a function that fills the bytes and says how many it filled. */
  readBy(fill: (into: Buffer) => number): boolean {
    return this.#stand(fill(this.#bytes));
  }

  /** Moves to the start of the next line; false at the end. */
  nextLine(): boolean {
    const newline = this.#bytes.indexOf(NEWLINE, this.#at);
    this.#at = newline < 0 || newline >= this.#end ? this.#end : newline + 1;
    return this.#at < this.#end;
  }

  /** Steps over `label` if the bytes here are exactly it. */
  take(label: Uint8Array): boolean {
    if (this.#at + label.length > this.#end) return false;
    for (let i = 0; i < label.length; i++) {
      if (this.#bytes[this.#at + i] !== label[i]) return false;
    }
    this.#at += label.length;
    return true;
  }

  /** The next number of this line, NaN when the next word is none. A word is stepped over either way. */
  number(): number {
    this.#skipSpaces();
    const isNegative = this.#bytes[this.#at] === MINUS && this.#at < this.#end;
    const start = isNegative ? ++this.#at : this.#at;
    const whole = this.#digits();
    const hasDigits = this.#at > start;
    const fraction = this.#bytes[this.#at] === POINT ? this.#fraction() : 0;
    const isWord = !hasDigits || !this.#isBoundary(this.#at);
    while (this.#at < this.#end && !this.#isBoundary(this.#at)) this.#at++;
    if (isWord) return Number.NaN;
    if (this.#file !== null) this.#file.numbersFound++;
    return isNegative ? -(whole + fraction) : whole + fraction;
  }

  /** Steps over words of this line. */
  skip(words: number): void {
    for (let i = 0; i < words; i++) {
      this.#skipSpaces();
      while (this.#at < this.#end && !this.#isBoundary(this.#at)) this.#at++;
    }
  }

  /** The next word up to a space, a colon (stepped over) or the line's end; "" at the line's end. */
  word(): string {
    this.#skipSpaces();
    const start = this.#at;
    while (this.#at < this.#end && !this.#isBoundary(this.#at) && this.#bytes[this.#at] !== COLON) this.#at++;
    const word = this.#bytes.toString("utf8", start, this.#at);
    if (this.#at < this.#end && this.#bytes[this.#at] === COLON) this.#at++;
    return word;
  }

  /** The rest of this line. */
  line(): string {
    const newline = this.#bytes.indexOf(NEWLINE, this.#at);
    const end = newline < 0 ? this.#end : Math.min(newline, this.#end);
    return this.#bytes.toString("utf8", Math.min(this.#at, end), end);
  }

  /** The text between the first `open` and the last `close`, and steps over both; "" if they are not there. */
  enclosed(open: string, close: string): string {
    const from = this.#bytes.indexOf(open, this.#at);
    const to = this.#bytes.subarray(0, this.#end).lastIndexOf(close);
    if (from < 0 || to <= from) {
      this.#at = this.#end;
      return "";
    }
    this.#at = to + 1;
    return this.#bytes.toString("utf8", from + 1, to);
  }

  #stand(length: number): boolean {
    this.#file = null;
    this.#at = 0;
    this.#end = length <= 0 ? 0 : this.#bytes.lastIndexOf(NEWLINE, length - 1) + 1;
    return this.#end > 0;
  }

  #skipSpaces(): void {
    while (this.#at < this.#end && this.#bytes[this.#at] === SPACE) this.#at++;
  }

  #isBoundary(at: number): boolean {
    const byte = this.#bytes[at];
    return byte === SPACE || byte === NEWLINE;
  }

  #digits(): number {
    let value = 0;
    while (this.#at < this.#end) {
      const digit = (this.#bytes[this.#at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      this.#at++;
    }
    return value;
  }

  #fraction(): number {
    const start = ++this.#at;
    const digits = this.#digits();
    return digits / 10 ** (this.#at - start);
  }
}
