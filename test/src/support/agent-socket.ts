import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { MessageReader, MessageType, type MessageTypeNumber } from "@apm-daemon/protocol";
import { eventually } from "./eventually.ts";

export interface ReceivedMessage {
  type: number;
  payload: Buffer;
}

/** A raw connection to the daemon's agent socket, to send it what no agent would send. */
export class AgentSocket {
  readonly received: ReceivedMessage[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new MessageReader((type, payload) => {
      this.received.push({ type, payload: Buffer.from(payload) });
    });
    socket.on("data", (chunk) => reader.push(chunk));
    // A reset by the daemon is one of the answers that tests expect: "close" follows.
    socket.on("error", () => {});
  }

  static async open(path: string): Promise<AgentSocket> {
    const socket = connect(path);
    await once(socket, "connect");
    return new AgentSocket(socket);
  }

  /** Whether the daemon has ended the connection, and all that it sent before is received. */
  get isClosed(): boolean {
    return this.#socket.readableEnded || this.#socket.destroyed;
  }

  async waitForClose(): Promise<void> {
    await eventually("the daemon closes the connection", 10_000, () => {
      if (!this.isClosed) throw new Error(`received so far: ${this.received.length} messages`);
    });
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  messages(type: keyof typeof MessageType): ReceivedMessage[] {
    const number: MessageTypeNumber = MessageType[type];
    return this.received.filter((message) => message.type === number);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
