import { lstatSync } from "node:fs";
import type { WatchedPart } from "./watchdog.ts";

/** The intake: its socket must be where apps look for it. Cleaners of temp folders remove it, and nobody could connect again. */
export class SocketFile implements WatchedPart {
  readonly name = "intake";
  readonly #path: string;
  readonly #identity: string;

  /** `path` is a socket that listens now. */
  constructor(path: string) {
    this.#path = path;
    this.#identity = identityOf(path);
  }

  stall(): string {
    return identityOf(this.#path) === this.#identity
      ? ""
      : `${this.#path} was removed or replaced, no app can connect`;
  }
}

function identityOf(path: string): string {
  try {
    const { dev, ino } = lstatSync(path);
    return `${dev}:${ino}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "gone";
  }
}
