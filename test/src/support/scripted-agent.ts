import { connect } from "node:net";
import { decodeAck, decodeWelcome, encodeHello, MessageReader, MessageType } from "@apm-daemon/protocol";

/**
 * An agent without an app: it sends the frames it is given in order, one after the other's acknowledgement, and keeps what
 * is not acknowledged for the next daemon, as the protocol asks.
 */
export class ScriptedAgent {
  readonly #socketPath: string;
  readonly #app: string;
  readonly #instance: string;
  readonly #frames: Buffer[] = [];
  acknowledged = 0;

  constructor(socketPath: string, app: string, instance: string) {
    this.#socketPath = socketPath;
    this.#app = app;
    this.#instance = instance;
  }

  get nextSequence(): number {
    return this.#frames.length + 1;
  }

  add(message: Buffer): void {
    this.#frames.push(message);
  }

  /** True when all frames are acknowledged; false when the daemon was gone before, or is not there. */
  async deliver(): Promise<boolean> {
    const socket = connect(this.#socketPath);
    let send = (): void => undefined;
    const reader = new MessageReader((type, payload) => {
      if (type === MessageType.welcome) this.#note(decodeWelcome(payload).lastSequence);
      else if (type === MessageType.ack) this.#note(decodeAck(payload));
      else return;
      if (this.acknowledged === this.#frames.length) socket.end();
      else send();
    });
    let sent = 0;
    send = () => {
      if (sent > this.acknowledged) return;
      sent = this.acknowledged + 1;
      socket.write(this.#frames[this.acknowledged] as Buffer);
    };
    socket.on("data", (chunk) => reader.push(chunk));
    // The daemon dies: "close" follows.
    socket.on("error", () => undefined);
    socket.on("connect", () => socket.write(this.#hello()));
    await new Promise<void>((resolve) => {
      socket.on("close", () => resolve());
    });
    return this.acknowledged === this.#frames.length;
  }

  #note(sequence: number): void {
    this.acknowledged = Math.max(this.acknowledged, sequence);
  }

  #hello(): Buffer {
    return encodeHello({
      app: this.#app,
      instance: this.#instance,
      pid: process.pid,
      startUnixMs: 0,
      runtime: "test",
      agentVersion: "0",
      firstUnacknowledged: this.acknowledged + 1,
    });
  }
}
