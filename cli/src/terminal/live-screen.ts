import type { Output } from "../cli-context.ts";

const ESC = "\u001b[";

/**
 * A page that is redrawn in place on the terminal's second screen, a line at a time, so that it does not flicker; `close` gives the
 * user's screen back. A line is cleared before it is written: after one of full width, its last letter would be cleared. Where there is no terminal, pages follow one another.
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
    this.#output.write(`${opening}${ESC}H${lines.map((line) => `${ESC}K${line}\r\n`).join("")}${ESC}J`);
  }

  close(): void {
    if (this.#isOpen) this.#output.write(`${ESC}?7h${ESC}?25h${ESC}?1049l`);
    this.#isOpen = false;
  }
}
