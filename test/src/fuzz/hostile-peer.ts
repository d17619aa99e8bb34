import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encodeHello, MessageReader, MessageType } from "@apm-daemon/protocol";
import { SAMPLE_HELLO } from "./sample-parts.ts";

/** Longest that a peer waits for a daemon to read on; a busy machine may take its time. */
const READS_WITHIN_MS = 60_000;

/** A peer that says a good HELLO and then sends whatever it is given; when it is closed it comes back. */
export class HostilePeer {
  readonly #path: string;
  readonly #hello: Buffer;
  #socket: Socket | null = null;
  #isEnding = false;
  /** Times that the daemon ended the connection, and how often it said why. */
  closed = 0;
  refusals = 0;

  constructor(path: string, seed: number, number: number) {
    this.#path = path;
    const instance = `${seed.toString(16)}b${number.toString(16)}`.padStart(32, "b");
    this.#hello = encodeHello({ ...SAMPLE_HELLO, app: `hostile-${number % 8}`, instance });
  }

  /** Resolves when the daemon has room for more. */
  async send(bytes: Buffer): Promise<void> {
    const socket = this.#socket ?? (await this.#connect());
    if (socket.write(bytes) || socket.destroyed) return;
    const writable = new Promise<void>((resolve) => {
      const go = (): void => {
        socket.off("drain", go).off("close", go);
        resolve();
      };
      socket.on("drain", go).on("close", go);
    });
    await within("the daemon reads on", writable);
  }

  /** Ends the connection and waits until the daemon has read all of it and has ended it too. */
  async end(): Promise<void> {
    const socket = this.#socket;
    if (socket === null) return;
    this.#isEnding = true;
    const isClosed = once(socket, "close");
    socket.end();
    await within("the daemon reads to the end", isClosed);
  }

  async #connect(): Promise<Socket> {
    const socket = connect(this.#path);
    await once(socket, "connect");
    this.#socket = socket;
    const reader = new MessageReader((type) => {
      if (type === MessageType.refuse) this.refusals++;
    });
    socket.on("data", (chunk) => reader.push(chunk));
    socket.on("error", () => undefined);
    socket.once("close", () => {
      if (!this.#isEnding) this.closed++;
      if (this.#socket === socket) this.#socket = null;
    });
    socket.write(this.#hello);
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
