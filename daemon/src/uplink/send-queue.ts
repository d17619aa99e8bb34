import type { Outbox } from "../outbox/outbox.ts";
import type { PartsFolder } from "../outbox/parts-folder.ts";

/**
 * What to send next: batches of the outbox and parts of refused ones, under keys of text (`17`, or a part's file name).
 *
 * A batch newer than all that were sent goes first: what is on screen must be fresh. Then parts, which are small. Of the backlog
 * the newest goes first too, but a third of the bytes belong to the oldest, so that it is not starved.
 */
export class SendQueue {
  readonly #outbox: Outbox;
  readonly #parts: PartsFolder;
  #newestSent = 0;
  /** Bytes sent from either end since there was a backlog. */
  #newestBytes = 0;
  #oldestBytes = 0;
  #lastEnd: "newest" | "oldest" = "newest";

  constructor(outbox: Outbox, parts: PartsFolder) {
    this.#outbox = outbox;
    this.#parts = parts;
  }

  get count(): number {
    return this.#outbox.count + this.#parts.count;
  }

  get bytes(): number {
    return this.#outbox.bytes + this.#parts.bytes;
  }

  has(key: string): boolean {
    return isPart(key) ? this.#parts.has(key) : this.#outbox.numbers().includes(Number(key));
  }

  /** Key of the next batch; null when none waits. `isTaken` says which are on their way; with `onlyFresh` the backlog must wait. */
  next(isTaken: (key: string) => boolean, onlyFresh: boolean): string | null {
    const waiting = this.#outbox.numbers().filter((number) => !isTaken(String(number)));
    const newest = waiting.at(-1);
    if (newest !== undefined && newest > this.#newestSent) return this.#choose("newest", newest);
    if (onlyFresh) return null;
    const part = this.#parts.names().find((name) => !isTaken(name));
    if (part !== undefined) return part;
    const [oldest] = waiting;
    if (newest === undefined || oldest === undefined) return null;
    if (newest === oldest) this.#newestBytes = this.#oldestBytes = 0;
    return 2 * this.#oldestBytes < this.#newestBytes
      ? this.#choose("oldest", oldest)
      : this.#choose("newest", newest);
  }

  /** Says that what `next` answered was sent. */
  sent(key: string, bytes: number): void {
    if (isPart(key)) return;
    this.#newestSent = Math.max(this.#newestSent, Number(key));
    if (this.#lastEnd === "oldest") this.#oldestBytes += bytes;
    else this.#newestBytes += bytes;
  }

  /** A batch's bytes; null when it is gone or damaged. Throws the file system's other errors. */
  read(key: string): Uint8Array | null {
    return isPart(key) ? this.#parts.read(key) : this.#outbox.read(Number(key));
  }

  delete(key: string): void {
    if (isPart(key)) this.#parts.delete(key);
    else this.#outbox.delete(Number(key));
  }

  /** Rejects with the file system's error, and then the batch is still there. */
  async deleteDurably(key: string): Promise<void> {
    await (isPart(key) ? this.#parts.deleteDurably(key) : this.#outbox.deleteDurably(Number(key)));
  }

  /** Puts a file aside that is not the batch that its name says. */
  quarantine(key: string): void {
    if (!isPart(key)) this.#outbox.quarantine(Number(key));
  }

  #choose(end: "newest" | "oldest", number: number): string {
    this.#lastEnd = end;
    return String(number);
  }
}

function isPart(key: string): boolean {
  return key.endsWith(".batch");
}
