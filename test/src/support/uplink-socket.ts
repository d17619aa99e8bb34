import { once } from "node:events";
import { UPLINK_SUBPROTOCOL, type UplinkHello, type UplinkMessage } from "@apm-daemon/protocol";
import { WebSocket } from "ws";
import type { Cleanup } from "./cleanup.ts";
import { eventually } from "./eventually.ts";

/** The answer of the collector to an upgrade that it refuses. */
export interface RefusedUpgrade {
  status: number;
  body: string;
}

function connectTo(url: string, key: string, subprotocol: string): WebSocket {
  const headers = { authorization: `Bearer ${key}` };
  return new WebSocket(`${url}/uplink`, subprotocol, { headers, handshakeTimeout: 10_000 });
}

/** Tries to connect as a daemon would and answers the collector's refusal; throws when it was let in. */
export async function refusedUpgrade(url: string, key: string, subprotocol: string): Promise<RefusedUpgrade> {
  const socket = connectTo(url, key, subprotocol);
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => {
      socket.terminate();
      reject(new Error("the collector accepted the connection"));
    });
    socket.on("unexpected-response", (_request, response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
  });
}

/** A connection to the collector with a right key, to send it what no daemon would send. */
export class UplinkSocket {
  readonly received: UplinkMessage[] = [];
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data, isBinary) => {
      if (!isBinary) this.received.push(JSON.parse((data as Buffer).toString("utf8")) as UplinkMessage);
    });
    socket.on("error", () => {});
  }

  static async open(cleanup: Cleanup, url: string, key: string): Promise<UplinkSocket> {
    const socket = connectTo(url, key, UPLINK_SUBPROTOCOL);
    await once(socket, "open");
    cleanup.add(() => socket.terminate());
    return new UplinkSocket(socket);
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  sendHello(stream: string): void {
    const hello: UplinkHello = { type: "hello", version: 1, host: FOREIGN_HOST, stream, nextNumber: 1 };
    this.#socket.send(JSON.stringify(hello));
  }

  send(message: string | Buffer): void {
    this.#socket.send(message);
  }

  /** A piece of a message that has no end. */
  sendPiece(text: string): void {
    this.#socket.send(text, { fin: false });
  }

  terminate(): void {
    this.#socket.terminate();
  }

  async waitFor<T extends UplinkMessage["type"]>(type: T): Promise<Extract<UplinkMessage, { type: T }>> {
    return eventually(`the collector sends "${type}"`, 10_000, () => {
      const index = this.received.findIndex((message) => message.type === type);
      if (index < 0) throw new Error(`received so far: ${JSON.stringify(this.received)}`);
      return this.received.splice(index, 1)[0] as Extract<UplinkMessage, { type: T }>;
    });
  }
}

const FOREIGN_HOST: UplinkHello["host"] = {
  id: "0123456789abcdef0123456789abcdef",
  name: "foreign",
  os: "linux",
  kernel: "6.1",
  arch: "x64",
  cpuModel: "",
  cores: 1,
  memTotalBytes: 1,
  virtualization: "",
  bootUnixMs: 0,
  daemonVersion: "0.0.0",
  nodeVersion: "20.0.0",
};
