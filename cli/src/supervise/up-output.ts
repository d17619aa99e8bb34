import type { Output } from "../cli-context.ts";

/**
 * What `apm up` prints. The parts' log lines wait until the console's address was announced, so that a reader finds it
 * first; whatever needs attention before that lets them out.
 */
export class UpOutput {
  readonly #output: Output;
  #waiting: string[] | null = [];

  constructor(output: Output) {
    this.#output = output;
  }

  logLine(line: string): void {
    if (this.#waiting) this.#waiting.push(line);
    else this.#output.write(`${line}\n`);
  }

  /** A sentence of `apm up` itself. */
  say(sentence: string): void {
    this.#release();
    this.#output.write(`apm: ${sentence}\n`);
  }

  /** The block that tells where the console is. */
  announce(block: string): void {
    this.#output.write(block);
    this.#release();
  }

  #release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const line of waiting) this.#output.write(`${line}\n`);
  }
}
