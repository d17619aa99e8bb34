import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import {
  type Batch,
  type BatchIdentity,
  decodeBatch,
  decodeBatchIdentity,
  UPLINK_SUBPROTOCOL,
  type UplinkHello,
  type UplinkMessage,
} from "@apm-daemon/protocol";
import { type WebSocket, WebSocketServer } from "ws";

/** The collector's side of the uplink, answering as a test wants: by default it keeps each batch once and acknowledges it. */
export class CollectorPeer {
  /** Committed batches by "stream number". */
  readonly batches: Map<string, Batch> = new Map();
  /** Numbers in the order in which they came, repetitions too. */
  readonly received: number[] = [];
  readonly hellos: UplinkHello[] = [];
  /** Authorization of each upgrade. */
  readonly keys: string[] = [];
  /** The HTTP status that refuses upgrades; 0 accepts them. */
  refusal: number = 0;
  /** The retry-after header of refusals; "" for none. */
  retryAfter: string = "";
  /** A longer batch ends the connection with "message too big". */
  maxMessageBytes: number = Number.POSITIVE_INFINITY;
  /** What is said to HELLO; texts as they are. */
  greeting: (string | UplinkMessage)[] = [
    { type: "welcome", version: 1, collectorVersion: "0", lastNumber: 0, codecs: ["gzip"] },
  ];
  answer: (identity: BatchIdentity, bytes: Buffer) => (string | UplinkMessage)[] = (identity, bytes) =>
    this.commit(identity, bytes);
  readonly #server: Server = createServer();
  readonly #sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: () => UPLINK_SUBPROTOCOL,
    autoPong: false,
  });
  readonly #unansweredPings: (() => void)[] = [];
  #answersPings = true;

  private constructor() {
    this.#server.on("upgrade", (request: IncomingMessage, socket, head) => {
      this.keys.push(request.headers.authorization ?? "");
      if (this.refusal > 0) socket.end(this.#refusalText());
      else this.#sockets.handleUpgrade(request, socket, head, (peer) => this.#take(peer));
    });
  }

  static async start(t: TestContext): Promise<CollectorPeer> {
    const peer = new CollectorPeer();
    await once(peer.#server.listen(0, "127.0.0.1"), "listening");
    t.after(() => peer.stop());
    return peer;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get connections(): number {
    return this.#sockets.clients.size;
  }

  /** Keeps the batch unless it has it, and acknowledges it. */
  commit(identity: BatchIdentity, bytes: Buffer): UplinkMessage[] {
    const key = `${identity.stream} ${identity.number}`;
    if (!this.batches.has(key)) this.batches.set(key, decodeBatch(bytes));
    return [{ type: "ack", ...identity }];
  }

  send(message: string | UplinkMessage): void {
    for (const client of this.#sockets.clients) say(client, message);
  }

  /** Resolves when the daemons have read, and answered, what was sent so far. */
  async roundTrip(): Promise<void> {
    for (const client of this.#sockets.clients) {
      client.ping();
      await once(client, "pong");
    }
  }

  /** While false, pings wait for their answer. */
  set answersPings(answers: boolean) {
    this.#answersPings = answers;
    if (answers) for (const answer of this.#unansweredPings.splice(0)) answer();
  }

  /** Reads nothing more, as a process would that hangs. */
  pause(): void {
    for (const client of this.#sockets.clients) client.pause();
  }

  /** Ends the connections without a word, as a crash would. */
  cut(): void {
    for (const client of this.#sockets.clients) client.terminate();
  }

  stop(): void {
    this.cut();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #refusalText(): string {
    const retryAfter = this.retryAfter === "" ? "" : `retry-after: ${this.retryAfter}\r\n`;
    return `HTTP/1.1 ${this.refusal} No\r\n${retryAfter}content-length: 0\r\n\r\n`;
  }

  #take(socket: WebSocket): void {
    socket.on("error", () => undefined);
    socket.on("ping", (data) => {
      if (this.#answersPings) socket.pong(data);
      else this.#unansweredPings.push(() => socket.pong(data));
    });
    socket.on("message", (data, isBinary) => {
      const bytes = data as Buffer;
      if (isBinary && bytes.length > this.maxMessageBytes) {
        socket.close(1009, "too long");
      } else if (isBinary) {
        const identity = decodeBatchIdentity(bytes);
        this.received.push(identity.number);
        for (const message of this.answer(identity, bytes)) say(socket, message);
      } else {
        this.hellos.push(JSON.parse(bytes.toString("utf8")) as UplinkHello);
        for (const message of this.greeting) say(socket, message);
      }
    });
  }
}

function say(socket: WebSocket, message: string | UplinkMessage): void {
  socket.send(typeof message === "string" ? message : JSON.stringify(message));
}
