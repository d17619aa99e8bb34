import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { MessageReader, MessageType, type MessageTypeNumber } from "@apm-daemon/protocol";

export interface ReceivedMessage {
  type: number;
  payload: Buffer;
}

/** A raw connection to the daemon's agent socket, to send it what no agent would send. */
export class AgentSocket {
  readonly received: ReceivedMessage[] = [];
  /** Resolves when the daemon has closed the connection. */
  readonly closed: Promise<unknown>;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = once(socket, "close");
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
