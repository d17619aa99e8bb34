import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

type Document = Record<string, unknown>;

/** The part of the driver's BSON that is used here. */
interface Bson {
  serialize(document: Document): Uint8Array;
  deserialize(bytes: Uint8Array): Document;
}

/** Null: no answer at all. */
export type MongodbAnswer = (command: Document) => Document | null;

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER_BYTES = 16;

const HELLO: Document = {
  ok: 1,
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  minWireVersion: 0,
  maxWireVersion: 21,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  connectionId: 1,
};

/** Speaks MongoDB's wire protocol as far as the driver needs it; what commands answer is the test's. No server is packaged. */
export class MongodbResponder {
  readonly #bson: Bson;
  readonly #answer: MongodbAnswer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(bson: Bson, answer: MongodbAnswer) {
    this.#bson = bson;
    this.#answer = answer;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
    let waiting = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk]);
      while (waiting.length >= HEADER_BYTES && waiting.length >= waiting.readInt32LE(0)) {
        const bytes = waiting.readInt32LE(0);
        this.#take(socket, waiting.subarray(0, bytes));
        waiting = waiting.subarray(bytes);
      }
    });
  }

  #take(socket: Socket, message: Buffer): void {
    const id = message.readInt32LE(4);
    const isLegacy = message.readInt32LE(12) === OP_QUERY;
    const command = isLegacy ? this.#legacyCommand(message) : this.#command(message);
    const isHello = "hello" in command || "ismaster" in command || "isMaster" in command;
    const reply = isHello ? HELLO : this.#answer(command);
    if (reply !== null) socket.write(this.#encode(id, reply, isLegacy));
  }

  /** OP_QUERY, which drivers greet with: flags, name of the collection, skip and limit, document. */
  #legacyCommand(message: Buffer): Document {
    const start = message.indexOf(0, HEADER_BYTES + 4) + 1 + 8;
    return this.#bson.deserialize(message.subarray(start));
  }

  /** OP_MSG: flags, then sections; one of kind 1 is a list that belongs into the command under its name. */
  #command(message: Buffer): Document {
    const command: Document = {};
    for (let at = HEADER_BYTES + 4; at < message.length; ) {
      const kind = message[at];
      const bytes = message.readInt32LE(at + 1);
      const section = message.subarray(at + 1, at + 1 + bytes);
      if (kind === 0) Object.assign(command, this.#bson.deserialize(section));
      else {
        const nameEnd = section.indexOf(0, 4);
        const documents: Document[] = [];
        for (let from = nameEnd + 1; from < section.length; from += section.readInt32LE(from))
          documents.push(this.#bson.deserialize(section.subarray(from, from + section.readInt32LE(from))));
        command[section.toString("utf8", 4, nameEnd)] = documents;
      }
      at += 1 + bytes;
    }
    return command;
  }

  #encode(answeredId: number, reply: Document, isLegacy: boolean): Buffer {
    const document = this.#bson.serialize(reply);
    const head = Buffer.alloc(isLegacy ? HEADER_BYTES + 20 : HEADER_BYTES + 5);
    head.writeInt32LE(head.length + document.length, 0);
    head.writeInt32LE(answeredId, 8);
    head.writeInt32LE(isLegacy ? OP_REPLY : OP_MSG, 12);
    if (isLegacy) head.writeInt32LE(1, HEADER_BYTES + 16);
    return Buffer.concat([head, document]);
  }
}
