import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { decodeAck, encodeHello, MessageReader, MessageType } from "@apm-daemon/protocol";
import { SAMPLE_HELLO } from "./sample-parts.ts";

const MAX_UNREAD = 16;
/** A daemon waits 5 s for the rest of a message. */
const ACKNOWLEDGED_WITHIN_MS = 10_000;
/** Longest that a peer waits for a daemon to read to the end; a busy machine may take its time. */
const READS_WITHIN_MS = 60_000;

/** A peer that says a good HELLO and then sends whatever it is given; when it is closed it comes back. */
export class HostilePeer {
  readonly #path: string;
  readonly #identity: string;
  readonly #app: string;
  #connections = 0;
  #socket: Socket | null = null;
  /** The next close is this peer's own wish. */
  #isLeaving = false;
  /** Sequence numbers sent on this connection and not acknowledged. */
  #unread: number[] = [];
  /** Times that the daemon ended the connection, and how often it said why. */
  closed = 0;
  refusals = 0;

  constructor(path: string, seed: number, number: number) {
    this.#path = path;
    this.#identity = `${seed.toString(16)}b${number.toString(16)}b`;
    this.#app = `hostile-${number % 8}`;
  }

  /** Another instance each time: a frame with an absurd sequence number makes all that follow old. */
  #hello(): Buffer {
    const instance = `${this.#identity}${(this.#connections++).toString(16)}`.padStart(32, "b");
    return encodeHello({ ...SAMPLE_HELLO, app: this.#app, instance });
  }

  /**
   * Sends a case. Resolves when the daemon has read most of what was sent before, or has closed the connection: cases that lie
   * in a buffer when it is closed are none.
   */
  async send(bytes: Buffer, sequence: number): Promise<void> {
    const socket = this.#socket ?? (await this.#connect());
    socket.write(bytes);
    this.#unread.push(sequence);
    if (this.#unread.length < MAX_UNREAD) return;
    const giveUpMs = performance.now() + ACKNOWLEDGED_WITHIN_MS;
    while (this.#unread.length >= MAX_UNREAD && !socket.destroyed && performance.now() < giveUpMs)
      await new Promise((resolve) => setTimeout(resolve, 2));
    // A length that went wrong makes the daemon wait for what never comes: it begins anew.
    if (this.#unread.length < MAX_UNREAD) return;
    this.#isLeaving = true;
    socket.destroy();
  }

  /** Ends the connection and waits until the daemon has read all of it and has ended it too. */
  async end(): Promise<void> {
    const socket = this.#socket;
    if (socket === null) return;
    this.#isLeaving = true;
    const isClosed = once(socket, "close");
    socket.end();
    await within("the daemon reads to the end", isClosed);
  }

  #acknowledged(sequence: number): void {
    this.#unread = this.#unread.filter((sent) => sent > sequence);
  }

  async #connect(): Promise<Socket> {
    const socket = connect(this.#path);
    await once(socket, "connect");
    this.#socket = socket;
    this.#unread = [];
    const reader = new MessageReader((type, payload) => {
      if (type === MessageType.ack) this.#acknowledged(decodeAck(payload));
      if (type !== MessageType.refuse) return;
      this.refusals++;
      // A daemon passes over what comes after its refusal: cases sent then would be none.
      socket.destroy();
    });
    socket.on("data", (chunk) => reader.push(chunk));
    socket.on("error", () => undefined);
    socket.once("close", () => {
      if (!this.#isLeaving) this.closed++;
      this.#isLeaving = false;
      if (this.#socket === socket) this.#socket = null;
    });
    socket.write(this.#hello());
    return socket;
  }
}

async function within(what: string, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`not within ${READS_WITHIN_MS / 1_000} s: ${what}`)),
      READS_WITHIN_MS,
    );
  });
  try {
    await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
