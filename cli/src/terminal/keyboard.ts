import type { Input } from "../cli-context.ts";

const NAMED: Readonly<Record<string, string>> = {
  "\u0003": "ctrl-c",
  "\t": "tab",
  "\u001b": "escape",
  "\u001b[A": "up",
  "\u001b[B": "down",
  "\u001b[C": "right",
  "\u001b[D": "left",
  "\u001b[Z": "shift-tab",
};
const ESCAPE = "\u001b";
/** What follows it in a special key's sequence. Terminals in their application mode write O for [. */
const SEQUENCE = /^[[O][0-9;]*[A-Za-z~]/;

/** What was typed, key by key: characters as they are, special keys by their name; those without one are left out. */
export function keysOf(typed: string): string[] {
  const [first = "", ...escaped] = typed.split(ESCAPE);
  return [
    ...Array.from(first, (key) => NAMED[key] ?? key),
    ...escaped.flatMap((text) => {
      const sequence = SEQUENCE.exec(text)?.[0] ?? "";
      const name = NAMED[`${ESCAPE}${sequence.replace(/^O/, "[")}`];
      const others = Array.from(text.slice(sequence.length), (key) => NAMED[key] ?? key);
      return name === undefined ? others : [name, ...others];
    }),
  ];
}

/** Hands over each key as it is typed, until it is closed. Where there is no keyboard, there are no keys. */
export class Keyboard {
  readonly #input: Input;
  readonly #listener: (bytes: Uint8Array) => void;
  #isOpen = false;

  constructor(input: Input, onKey: (key: string) => void) {
    this.#input = input;
    this.#listener = (bytes) => {
      for (const key of keysOf(Buffer.from(bytes).toString())) onKey(key);
    };
  }

  get isPresent(): boolean {
    return this.#input.isTTY === true;
  }

  open(): void {
    if (!this.isPresent) return;
    this.#isOpen = true;
    this.#input.setRawMode?.(true);
    this.#input.on("data", this.#listener);
    this.#input.resume();
  }

  /** Gives the terminal's own handling of lines and Ctrl-C back. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#input.setRawMode?.(false);
    this.#input.off("data", this.#listener);
    this.#input.pause();
  }
}
