import { createRequire } from "node:module";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";

/** amqplib's own tables of AMQP 0-9-1: what it writes and reads, byte for byte. */
interface Definitions {
  readonly [method: string]: unknown;
  decode(id: number, bytes: Buffer): Record<string, unknown>;
  encodeMethod(id: number, channel: number, fields: object): Buffer;
}
const require = createRequire(import.meta.url);
const defs = require(join(dirname(require.resolve("amqplib")), "lib/defs.js")) as Definitions;

const FRAME = { method: 1, header: 2, body: 3 } as const;
const FRAME_END = 0xce;
const GREETING_BYTES = 8;

interface Delivery {
  fields: Record<string, unknown>;
  header: Buffer;
  body: Buffer[];
}

/**
 * As much of an AMQP broker as a client needs to publish and consume: queues that deliver at once to whoever consumes, an
 * exchange that gives to the queue of the routing key, confirmations.
 */
export class AmqpResponder {
  readonly #server: Server = createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<Socket>();
  readonly #consumers = new Map<string, { socket: Socket; channel: number; tag: string }>();
  /** Properties of messages as they came. */
  readonly headers: Buffer[] = [];
  #tags = 0;

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Tells a queue's consumer that it was cancelled, as when the queue is deleted. */
  cancel(queue: string): void {
    const consumer = this.#consumers.get(queue);
    if (consumer === undefined) return;
    this.#say(consumer.socket, consumer.channel, "BasicCancel", { consumerTag: consumer.tag, nowait: true });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    let pending = Buffer.alloc(0);
    let isGreeted = false;
    const publishes = new Map<number, Delivery>();
    const confirmed = new Map<number, number>();
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      if (!isGreeted && pending.length >= GREETING_BYTES) {
        isGreeted = true;
        pending = pending.subarray(GREETING_BYTES);
        const texts = { mechanisms: Buffer.from("PLAIN"), locales: Buffer.from("en_US") };
        this.#say(socket, 0, "ConnectionStart", {
          versionMajor: 0,
          versionMinor: 9,
          serverProperties: {},
          ...texts,
        });
      }
      if (!isGreeted) return;
      while (pending.length >= 8) {
        const bytes = pending.readUInt32BE(3);
        if (pending.length < bytes + 8) return;
        const [type, channel] = [pending.readUInt8(0), pending.readUInt16BE(1)];
        const payload = Buffer.from(pending.subarray(7, 7 + bytes));
        pending = pending.subarray(bytes + 8);
        if (type === FRAME.method) this.#answer(socket, channel, payload, publishes, confirmed);
        else if (type === FRAME.header || type === FRAME.body) {
          const delivery = publishes.get(channel);
          if (delivery === undefined) continue;
          if (type === FRAME.header) delivery.header = payload;
          else delivery.body.push(payload);
          const have = delivery.body.reduce((sum, part) => sum + part.length, 0);
          if (have < Number(delivery.header.readBigUInt64BE(4))) continue;
          publishes.delete(channel);
          this.#deliver(delivery);
          const number = confirmed.get(channel);
          if (number === undefined) continue;
          confirmed.set(channel, number + 1);
          this.#say(socket, channel, "BasicAck", { deliveryTag: number, multiple: false });
        }
      }
    });
  }

  #answer(
    socket: Socket,
    channel: number,
    payload: Buffer,
    publishes: Map<number, Delivery>,
    confirmed: Map<number, number>,
  ): void {
    const id = payload.readUInt32BE(0);
    const fields = defs.decode(id, payload.subarray(4));
    const reply = (method: string, values: object = {}): void => this.#say(socket, channel, method, values);
    if (id === defs["ConnectionStartOk"])
      reply("ConnectionTune", { channelMax: 100, frameMax: 131_072, heartbeat: 0 });
    else if (id === defs["ConnectionOpen"]) reply("ConnectionOpenOk", { knownHosts: "" });
    else if (id === defs["ConnectionClose"]) reply("ConnectionCloseOk");
    else if (id === defs["ChannelOpen"]) reply("ChannelOpenOk", { channelId: Buffer.alloc(0) });
    else if (id === defs["ChannelClose"]) reply("ChannelCloseOk");
    else if (id === defs["QueueDeclare"])
      reply("QueueDeclareOk", { queue: fields["queue"] || "amq.gen-1", messageCount: 0, consumerCount: 0 });
    else if (id === defs["ConfirmSelect"]) {
      confirmed.set(channel, 1);
      reply("ConfirmSelectOk");
    } else if (id === defs["BasicConsume"]) {
      const tag = `consumer ${++this.#tags}`;
      this.#consumers.set(String(fields["queue"]), { socket, channel, tag });
      reply("BasicConsumeOk", { consumerTag: tag });
    } else if (id === defs["BasicPublish"])
      publishes.set(channel, { fields, header: Buffer.alloc(0), body: [] });
  }

  #deliver({ fields, header, body }: Delivery): void {
    this.headers.push(header);
    const queue = String(fields["routingKey"]);
    const consumer = this.#consumers.get(queue);
    if (consumer === undefined) return;
    const { socket, channel, tag } = consumer;
    this.#say(socket, channel, "BasicDeliver", {
      consumerTag: tag,
      deliveryTag: ++this.#tags,
      redelivered: false,
      exchange: fields["exchange"],
      routingKey: queue,
    });
    socket.write(frame(FRAME.header, channel, header));
    for (const part of body) socket.write(frame(FRAME.body, channel, part));
  }

  #say(socket: Socket, channel: number, method: string, fields: object): void {
    socket.write(defs.encodeMethod(defs[method] as number, channel, fields));
  }
}

function frame(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head.writeUInt8(type, 0);
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([FRAME_END])]);
}
