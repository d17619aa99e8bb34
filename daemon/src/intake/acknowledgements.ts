import type { Socket } from "node:net";
import { encodeAck } from "@apm-daemon/protocol";
import { writePast } from "./write-past.ts";

/** An agent is told at once when it was not told anything for that long, and else when it is over. */
const EACH_MS = 250;
/** So much is acknowledged at once: little against what an agent has room for. */
const AT_ONCE_BYTES = 131_072;
const AT_ONCE_FRAMES = 16;
/** An agent that does not read what it is told is told again after this. */
const AGAIN_MS = 50;

/**
 * Tells one agent how far its frames are journaled. Not of each of them: an acknowledgement wakes the app up, which costs it
 * more than the frame did, and the frames need little room until then.
 */
export class Acknowledgements {
  readonly #socket: Socket;
  readonly #clock: { monoMs(): number };
  #toldMs = Number.NEGATIVE_INFINITY;
  #sequence = 0;
  #bytes = 0;
  #frames = 0;
  #isDue = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(socket: Socket, clock: { monoMs(): number }) {
    this.#socket = socket;
    this.#clock = clock;
  }

  /** Frames up to `sequence` are journaled, so many of them, with so many bytes, just now. */
  journaled(sequence: number, frames: number, bytes: number): void {
    this.#sequence = sequence;
    this.#frames += frames;
    this.#bytes += bytes;
    this.#isDue = true;
    const waitMs = EACH_MS - (this.#clock.monoMs() - this.#toldMs);
    const isMuch = this.#frames >= AT_ONCE_FRAMES || this.#bytes >= AT_ONCE_BYTES;
    if (isMuch || waitMs <= 0) this.tell();
    else this.#tellIn(waitMs);
  }

  /** Tells now what has not been told. */
  tell(): void {
    if (!this.#isDue) return;
    this.stop();
    this.#frames = 0;
    this.#bytes = 0;
    this.#toldMs = this.#clock.monoMs();
    this.#isDue = !writePast(this.#socket, encodeAck(this.#sequence));
    if (this.#isDue) this.#tellIn(AGAIN_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #tellIn(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.tell();
    }, delayMs);
  }
}
