import type { Output } from "../cli-context.ts";

const ESC = "\u001b[";

/**
 * A page that is redrawn in place on the terminal's second screen: each line is overwritten and its rest cleared, so
 * nothing flickers, and `close` gives the user's screen back. Where there is no terminal, pages follow one another.
 */
export class LiveScreen {
  readonly #output: Output;
  #isOpen = false;

  constructor(output: Output) {
    this.#output = output;
  }

  draw(page: string): void {
    if (!this.#output.isTTY) {
      this.#output.write(`${page}\n\n`);
      return;
    }
    const opening = this.#isOpen ? "" : `${ESC}?1049h${ESC}?25l${ESC}?7l`;
    this.#isOpen = true;
    const lines = page.split("\n").slice(0, Math.max(1, (this.#output.rows ?? 24) - 1));
    this.#output.write(`${opening}${ESC}H${lines.map((line) => `${line}${ESC}K\r\n`).join("")}${ESC}J`);
  }

  close(): void {
    if (this.#isOpen) this.#output.write(`${ESC}?7h${ESC}?25h${ESC}?1049l`);
    this.#isOpen = false;
  }
}
