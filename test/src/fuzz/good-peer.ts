import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { decodeAck, encodeHello, MessageReader, MessageType } from "@apm-daemon/protocol";
import { SAMPLE_HELLO, SampleFrames } from "./sample-parts.ts";

const REQUESTS_PER_FRAME = 10;

/** An app as it should be, beside hostile ones: requests of one span each, and what the daemon acknowledges of them. */
export class GoodPeer {
  readonly app: string;
  readonly #frames = new SampleFrames();
  readonly #socket: Socket;
  #sequence = 0;
  #acknowledged = 0;
  #roots = 0;
  refusals = 0;

  private constructor(socket: Socket, app: string, seed: number) {
    this.#socket = socket;
    this.app = app;
    const reader = new MessageReader((type, payload) => {
      if (type === MessageType.ack) this.#acknowledged = decodeAck(payload);
      if (type === MessageType.refuse) this.refusals++;
    });
    socket.on("data", (chunk) => reader.push(chunk));
    socket.on("error", () => undefined);
    socket.write(encodeHello({ ...SAMPLE_HELLO, app, instance: seed.toString(16).padStart(32, "9") }));
  }

  static async connect(path: string, app: string, seed: number): Promise<GoodPeer> {
    const socket = connect(path);
    await once(socket, "connect");
    return new GoodPeer(socket, app, seed);
  }

  get sentRequests(): number {
    return this.#sequence * REQUESTS_PER_FRAME;
  }

  get isAllAcknowledged(): boolean {
    return this.#acknowledged === this.#sequence;
  }

  get isConnected(): boolean {
    return !this.#socket.destroyed && !this.#socket.readableEnded;
  }

  sendFrame(): void {
    const spans = Array.from({ length: REQUESTS_PER_FRAME }, () => {
      const root = ++this.#roots;
      return { kind: 1, root, id: 0, parent: 0, name: "GET /", attributes: STATUS };
    });
    this.#socket.write(this.#frames.message(spans, ++this.#sequence));
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

const STATUS: [string, number][] = [["http.response.status_code", 200]];
