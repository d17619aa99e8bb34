import { once } from "node:events";
import {
  type BatchHeader,
  type HostIdentity,
  UPLINK_SUBPROTOCOL,
  type UplinkAck,
  type UplinkMessage,
  type UplinkNack,
  type UplinkWelcome,
} from "@apm-daemon/protocol";
import { WebSocket } from "ws";
import { encoded, sampleHost } from "./sample-batch.ts";

export interface RefusedUpgrade {
  status: number;
  body: string;
}

/** A daemon's side of the uplink, by hand. */
export class HandUplink {
  readonly socket: WebSocket;
  readonly #received: UplinkMessage[] = [];
  readonly #waiting: ((message: UplinkMessage) => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString()) as UplinkMessage;
      const next = this.#waiting.shift();
      if (next) next(message);
      else this.#received.push(message);
    });
  }

  static async open(url: string, key: string): Promise<HandUplink> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/uplink`, UPLINK_SUBPROTOCOL, {
      headers: { authorization: `Bearer ${key}` },
    });
    const uplink = new HandUplink(socket);
    await once(socket, "open");
    return uplink;
  }

  /** Opens and says hello. */
  static async connect(url: string, key: string, stream: string = NO_STREAM): Promise<HandUplink> {
    const uplink = await HandUplink.open(url, key);
    await uplink.hello(stream);
    return uplink;
  }

  async hello(
    stream: string,
    host: HostIdentity = sampleHost(),
    features?: string[],
  ): Promise<UplinkWelcome> {
    const hello = { type: "hello", version: 1, host, stream, nextNumber: 1, ...(features && { features }) };
    this.socket.send(JSON.stringify(hello));
    return (await this.next()) as UplinkWelcome;
  }

  /** Sends a batch and waits for the answer to it. */
  async deliver(batch: BatchHeader | Buffer, frames: Uint8Array[] = []): Promise<UplinkAck | UplinkNack> {
    this.socket.send(Buffer.isBuffer(batch) ? batch : encoded(batch, frames));
    return (await this.next()) as UplinkAck | UplinkNack;
  }

  async next(): Promise<UplinkMessage> {
    return this.#received.shift() ?? (await new Promise((resolve) => this.#waiting.push(resolve)));
  }

  /** All messages that came and were not asked for yet. */
  takeReceived(): UplinkMessage[] {
    return this.#received.splice(0);
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.close();
    await once(this.socket, "close");
  }
}

/** The collector's refusal of an upgrade. */
export async function refusedUpgrade(
  url: string,
  options: { path?: string; subprotocol?: string; headers?: Record<string, string> },
): Promise<RefusedUpgrade> {
  const { path = "/uplink", subprotocol = UPLINK_SUBPROTOCOL, headers = {} } = options;
  const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, subprotocol, { headers });
  return await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => reject(new Error("the uplink was let in")));
    socket.on("unexpected-response", (_request, response) => {
      response.setEncoding("utf8");
      let body = "";
      response.on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
  });
}

const NO_STREAM = "00000000-0000-4000-8000-000000000000";
