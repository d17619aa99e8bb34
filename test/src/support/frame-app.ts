import { randomBytes } from "node:crypto";
import {
  decodeAck,
  encodeHello,
  type Hello,
  MessageType,
  ShapeTree,
  SpanEncoder,
  slotTypeOf,
  TraceEntry,
} from "@apm-daemon/protocol";
import { AgentSocket } from "./agent-socket.ts";
import { eventually } from "./eventually.ts";

/** An app that sends frames when the test says so, and knows which were acknowledged. */
export class FrameApp {
  readonly #socket: AgentSocket;
  readonly #encoder = new SpanEncoder(1_000_000);
  readonly #app: string;
  #sequence: number;
  #requests = 0;

  private constructor(socket: AgentSocket, app: string, sequence: number) {
    this.#socket = socket;
    this.#app = app;
    this.#sequence = sequence;
  }

  /** Connects and is welcomed; `lastSequence` frames were acknowledged before. */
  static async connect(socketPath: string, app: string, lastSequence = 0): Promise<FrameApp> {
    const socket = await AgentSocket.open(socketPath);
    const hello: Hello = {
      app,
      instance: Buffer.from(app).toString("hex").padEnd(32, "0").slice(0, 32),
      pid: process.pid,
      startUnixMs: Date.now(),
      runtime: "test",
      agentVersion: "0",
      firstUnacknowledged: lastSequence + 1,
    };
    socket.write(encodeHello(hello));
    await eventually(`${app} is welcomed`, 10_000, () => {
      if (socket.messages("welcome").length === 0) throw new Error("no WELCOME yet");
    });
    return new FrameApp(socket, app, lastSequence);
  }

  /** Requests sent since the connection. */
  get requests(): number {
    return this.#requests;
  }

  get lastSequence(): number {
    return this.#sequence;
  }

  /** The highest sequence number that the daemon has acknowledged on this connection. */
  get acknowledged(): number {
    const acks = this.#socket.messages("ack");
    const last = acks.at(-1);
    return last === undefined ? 0 : decodeAck(last.payload);
  }

  get isClosed(): boolean {
    return this.#socket.isClosed;
  }

  /** Sends so many frames of so many requests, each with an attribute of so many characters. */
  send(frames: number, requestsPerFrame = 1, textChars = 0): void {
    for (let i = 0; i < frames; i++) this.#socket.write(this.#frame(requestsPerFrame, textChars));
  }

  async allAcknowledged(deadlineMs = 20_000): Promise<void> {
    await eventually(`the frames of ${this.#app} are acknowledged`, deadlineMs, () => {
      if (this.acknowledged < this.#sequence)
        throw new Error(`${this.acknowledged} of ${this.#sequence} are`);
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #frame(requests: number, textChars: number): Buffer {
    const now = Date.now() * 1_000;
    this.#encoder.begin(now);
    const tag = Buffer.from(this.#app).readUInt16LE(0);
    for (let i = 0; i < requests; i++) {
      const number = ++this.#requests + this.#sequence * 1_000;
      // Texts that differ cannot be stored once for all, nor compressed away.
      const text = randomBytes(Math.ceil(textChars / 2)).toString("hex");
      const shape = new ShapeTree().root("test", 1).follow("text", slotTypeOf(text));
      if (shape === null) throw new Error("the test's shape is full");
      const result = this.#encoder.add(
        {
          shape,
          values: [text],
          name: "GET /",
          trace: new TraceEntry(tag, 1, 2, number, tag, number),
          idHi: tag,
          idLo: number,
          parentHi: 0,
          parentLo: 0,
          isLocalRoot: true,
          hasRemoteParent: false,
          hasError: false,
          extra: null,
        },
        0,
        1_000_000,
      );
      if (result !== "added") throw new Error(`a span of the test is ${result}`);
    }
    return Buffer.from(this.#encoder.take(++this.#sequence));
  }
}

/** Type byte of an acknowledgement, for tests that look at system calls. */
export const ACK_TYPE: number = MessageType.ack;
