/**
 * Frames that the daemon has not acknowledged, oldest first, in memory that is bounded. Sequence numbers are given
 * without gaps; the frames held always are a run of them. When the ring is full nothing that is in it is given up:
 * new spans are dropped by whoever adds them, and told to the daemon by a GAP frame as soon as there is room.
 */
import { FRAME_BYTES } from "@apm-daemon/protocol";

export interface Frame {
  readonly sequence: number;
  /** A whole message. */
  readonly message: Buffer;
}

/** About what Node needs for a buffer besides its bytes. */
const OVERHEAD_BYTES = 256;

export class FrameRing {
  readonly #capBytes: number;
  readonly #onFreed: (message: Buffer) => void;
  #frames: Frame[] = [];
  /** Frames before this index are acknowledged and wait to be cut off together. */
  #head = 0;
  #nextSequence = 1;
  #heldBytes = 0;

  /** `onFreed` gets messages back that nobody needs any more. */
  constructor(capBytes: number, onFreed: (message: Buffer) => void) {
    this.#capBytes = capBytes;
    this.#onFreed = onFreed;
  }

  /** No room for one more frame of usual size. */
  get isFull(): boolean {
    return !this.hasRoomFor(FRAME_BYTES);
  }

  hasRoomFor(bytes: number): boolean {
    return this.#heldBytes + bytes <= this.#capBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The number that the next frame gets. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** The oldest number that is held, or the next one when nothing is. */
  get firstHeld(): number {
    return this.#frames[this.#head]?.sequence ?? this.#nextSequence;
  }

  /** Takes a message that was encoded with `nextSequence`. */
  push(message: Buffer): void {
    const own = withOwnMemory(message);
    this.#frames.push({ sequence: this.#nextSequence++, message: own });
    this.#heldBytes += costOf(own);
  }

  /** The frame of a number, if it is held. */
  at(sequence: number): Frame | undefined {
    return this.#frames[this.#head + sequence - this.firstHeld];
  }

  /** Lets go of all frames up to and with a number. */
  release(sequence: number): void {
    for (let frame = this.#frames[this.#head]; frame !== undefined && frame.sequence <= sequence; ) {
      this.#heldBytes -= costOf(frame.message);
      this.#onFreed(frame.message);
      frame = this.#frames[++this.#head];
    }
    if (this.#head > 64 || this.#head === this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** Memory that a message holds: the whole of its buffer, however much of that it fills, and its objects. */
function costOf(message: Buffer): number {
  return message.buffer.byteLength + OVERHEAD_BYTES;
}

/** A small message may be a view of memory that Node shares out in pieces: held for long it would hold all of them. */
function withOwnMemory(message: Buffer): Buffer {
  if (message.length * 2 > message.buffer.byteLength) return message;
  const own = Buffer.allocUnsafeSlow(message.length);
  message.copy(own);
  return own;
}
