import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  decodeAck,
  decodeRefuse,
  decodeWelcome,
  encodeHello,
  type Hello,
  MessageReader,
  MessageType,
  type Refuse,
  type Welcome,
} from "@apm-daemon/protocol";
import { until } from "./until.ts";

/** The agent's side of the socket, byte for byte as a test wants it. */
export class AgentPeer {
  readonly socket: Socket;
  readonly acks: number[] = [];
  /** Types of the daemon's messages in their order. */
  readonly said: number[] = [];
  welcome: Welcome | null = null;
  refusal: Refuse | null = null;
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    const reader = new MessageReader((type, payload) => {
      this.said.push(type);
      if (type === MessageType.welcome) this.welcome = decodeWelcome(payload);
      else if (type === MessageType.refuse) this.refusal = decodeRefuse(payload);
      else if (type === MessageType.ack) this.acks.push(decodeAck(payload));
    });
    socket.on("data", (chunk) => reader.push(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.isClosed = true;
    });
  }

  /** Rejects when nobody listens. */
  static async connect(path: string): Promise<AgentPeer> {
    const socket = connect(path);
    await once(socket, "connect");
    return new AgentPeer(socket);
  }

  /** Connects and says HELLO; resolves with the daemon's welcome or refusal in place. */
  static async greet(path: string, hello: Partial<Hello> = {}): Promise<AgentPeer> {
    const peer = await AgentPeer.connect(path);
    peer.socket.write(encodeHello(helloOf(hello)));
    await until("the daemon answers HELLO", () => peer.said.length > 0 || peer.isClosed);
    return peer;
  }

  get lastAck(): number {
    return this.acks.at(-1) ?? this.welcome?.lastSequence ?? 0;
  }
}

export function helloOf(changes: Partial<Hello> = {}): Hello {
  return {
    app: "shop",
    instance: "0123456789abcdef".repeat(2),
    pid: process.pid,
    startUnixMs: 1_700_000_000_000,
    runtime: "node 20",
    agentVersion: "0",
    firstUnacknowledged: 1,
    ...changes,
  };
}
