import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { trace } from "@opentelemetry/api";
import { action, start, stop } from "../index.ts";
import { AmqpResponder } from "../test-support/amqp-responder.ts";
import { DaemonPeer, until } from "../test-support/daemon-peer.ts";
import { appPath, REGISTER, runNode } from "../test-support/run-app.ts";

interface Message {
  content: Buffer;
  properties: { headers?: Record<string, unknown> };
}
type Handler = (message: Message | null) => unknown;
interface Channel {
  assertQueue(queue: string): Promise<{ queue: string }>;
  publish(exchange: string, key: string, content: Buffer, options?: object, confirmed?: () => void): boolean;
  sendToQueue(queue: string, content: Buffer, options?: object, confirmed?: () => void): boolean;
  consume(queue: string, handler: Handler, options?: object): Promise<{ consumerTag: string }>;
  waitForConfirms(): Promise<void>;
  close(): Promise<void>;
}
interface Connection {
  createChannel(): Promise<Channel>;
  createConfirmChannel(): Promise<Channel>;
  close(): Promise<void>;
}
interface Amqplib {
  connect(url: string): Promise<Connection>;
}
interface CallbackConnection {
  createChannel(done: (error: unknown, channel: CallbackChannel) => void): void;
  close(): void;
}
interface CallbackChannel {
  consume(queue: string, handler: Handler, options: object, done: () => void): void;
  sendToQueue(queue: string, content: Buffer): boolean;
}

const peer = new DaemonPeer();
const broker = new AmqpResponder();
const folder = mkdtempSync(join(tmpdir(), "apm-amqplib-"));
const require = createRequire(import.meta.url);
const RELEASES: Readonly<Record<string, string>> = {
  amqplib: require.resolve("amqplib"),
  amqplib1: require.resolve("amqplib1"),
  amqplib0: require.resolve("amqplib0"),
};

before(async () => {
  await peer.listen();
  await broker.listen();
  start({ socket: peer.path, appName: "queues", log: false });
});

after(async () => {
  stop();
  await broker.close();
  await peer.close();
  rmSync(folder, { recursive: true });
});

/** A release under its own name, wherever npm put the alias. */
function load(alias: string, main: string): NodeJS.Require {
  const source = dirname(realpathSync(main));
  const modules = join(folder, alias, "node_modules");
  mkdirSync(modules, { recursive: true });
  cpSync(source, join(modules, "amqplib"), { recursive: true });
  const dependencies =
    (require(join(source, "package.json")) as { dependencies?: object }).dependencies ?? {};
  for (const name of Object.keys(dependencies)) {
    const own = join(modules, "amqplib/node_modules", name);
    const shared = join(dirname(source), name);
    if (name !== "" && !own.includes("..") && !isThere(own)) symlinkSync(shared, join(modules, name));
  }
  return createRequire(join(modules, "test.js"));
}

function isThere(path: string): boolean {
  try {
    return realpathSync(path) !== "";
  } catch {
    return false;
  }
}

for (const [release, main] of Object.entries(RELEASES)) {
  describe(release, () => {
    const queue = (name: string): string => `${release} ${name}`;
    let connection: Connection;
    let loaded: NodeJS.Require;

    before(async () => {
      loaded = load(release, main);
      connection = await (loaded("amqplib") as Amqplib).connect(`amqp://127.0.0.1:${broker.port}`);
    });

    after(() => connection.close());

    test("a message's consumer is a background action that continues its sender's trace", async () => {
      const channel = await connection.createChannel();
      const orders = queue("orders");
      await channel.assertQueue(orders);
      const handled: Message[] = [];
      await channel.consume(orders, async (message) => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        trace.getTracer("test").startSpan(`${orders} work`).end();
        if (message !== null) handled.push(message);
      });
      const headers = Object.freeze({ mine: 1 });
      const options = Object.freeze({ headers, contentType: "text/plain" });
      action(`${orders} sender`, () => {
        assert.equal(channel.sendToQueue(orders, Buffer.from("canary body"), options), true);
      });
      await until(() => peer.named(`${orders} process`).length === 1, "the consumer's span arrives");
      const [sender] = peer.named(`${orders} sender`);
      const [publish] = peer.named(`${orders} publish`);
      const [process] = peer.named(`${orders} process`);
      const [work] = peer.named(`${orders} work`);
      assert.deepEqual([publish?.kind, publish?.parentId], [3, sender?.spanId]);
      assert.deepEqual(
        [process?.kind, process?.isLocalRoot, process?.hasRemoteParent, process?.parentId, process?.traceId],
        [4, true, true, publish?.spanId, sender?.traceId],
      );
      assert.equal(work?.parentId, process?.spanId);
      assert.ok((process?.durationMs ?? 0) >= 9);
      assert.deepEqual(publish?.attributes, {
        "messaging.system": "rabbitmq",
        "messaging.destination.name": orders,
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
        "server.address": "127.0.0.1",
        "server.port": broker.port,
      });
      const [message] = handled;
      assert.equal(message?.content.toString(), "canary body");
      assert.equal(message?.properties.headers?.["mine"], 1);
      assert.deepEqual(Object.keys(headers), ["mine"]);
      assert.equal(Buffer.concat(peer.received).includes("canary"), false);
      await channel.close();
    });

    test("200 messages at once keep their senders apart", async () => {
      const channel = await connection.createChannel();
      const many = queue("many");
      await channel.consume(many, async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
      });
      for (let i = 0; i < 200; i++)
        action(`${many} sender`, () => channel.publish("exchange", many, Buffer.from(String(i))));
      await until(() => peer.named(`${many} process`).length === 200, "all are handled");
      const parents = new Map(
        peer.named("exchange publish").map(({ spanId, parentId }) => [spanId, parentId]),
      );
      const senders = new Map(peer.named(`${many} sender`).map(({ spanId, traceId }) => [spanId, traceId]));
      for (const { parentId, traceId } of peer.named(`${many} process`))
        assert.equal(senders.get(parents.get(parentId) ?? ""), traceId);
      assert.equal(new Set(senders.values()).size, 200);
      await channel.close();
    });

    test("confirmations come in the publisher's context, once each", async () => {
      const channel = await connection.createConfirmChannel();
      const confirmed: (string | undefined)[] = [];
      const sent = ["first", "second"].map((name) =>
        action(`${queue(name)} sender`, () => {
          const note = (): void => {
            confirmed.push(trace.getActiveSpan()?.spanContext().traceId);
          };
          channel.sendToQueue(queue(name), Buffer.from("x"), {}, note);
          return trace.getActiveSpan()?.spanContext().traceId;
        }),
      );
      await channel.waitForConfirms();
      assert.deepEqual(confirmed, sent);
      await channel.close();
    });

    test("a consumer that is cancelled is told so, a publish on a closed channel fails as it does", async () => {
      const channel = await connection.createChannel();
      const closing = queue("closing");
      const received: (Message | null)[] = [];
      await channel.consume(closing, (message) => void received.push(message));
      broker.cancel(closing);
      await until(() => received.length === 1, "the consumer is told");
      assert.equal(received[0], null);
      await channel.close();
      assert.throws(() => channel.sendToQueue(closing, Buffer.from("x")), { name: "IllegalOperationError" });
      await until(() => peer.named(`${closing} publish`).length === 1, "the failed publish arrives");
      assert.equal(peer.named(`${closing} publish`)[0]?.hasError, true);
      assert.deepEqual(peer.named(`${closing} process`), []);
    });

    test("queues of which the broker makes up the name share one", async () => {
      const channel = await connection.createChannel();
      channel.sendToQueue("amq.gen-0123", Buffer.from("x"));
      await until(() => peer.named("(temporary) publish").length > 0, "it arrives");
      assert.deepEqual(peer.named("amq.gen-0123 publish"), []);
      await channel.close();
    });

    test("by callbacks too", async () => {
      const api = loaded("amqplib/callback_api") as {
        connect(url: string, done: (error: Error | null, connection: CallbackConnection) => void): void;
      };
      const name = queue("callbacks");
      const handled = await new Promise<string>((resolve, reject) => {
        api.connect(`amqp://127.0.0.1:${broker.port}`, (error, connected) => {
          if (error !== null) return reject(error);
          connected.createChannel((_error, channel) => {
            const handler: Handler = (message) => {
              resolve(message?.content.toString() ?? "");
              connected.close();
            };
            channel.consume(name, handler, {}, () => channel.sendToQueue(name, Buffer.from("told")));
          });
        });
      });
      assert.equal(handled, "told");
      await until(() => peer.named(`${name} process`).length === 1, "the action arrives");
      assert.equal(peer.named(`${name} process`)[0]?.parentId, peer.named(`${name} publish`)[0]?.spanId);
    });
  });
}

test("a handler's rejection stays unhandled, and is the action's error", async () => {
  const args = [appPath("amqp-reject.mjs"), String(broker.port)];
  const plain = await runNode(args);
  const end = await runNode(["--import", REGISTER, ...args], { APM_SOCKET: peer.path });
  assert.deepEqual(end, plain);
  assert.equal(end.stdout, "RangeError: no stock\n");
  await until(() => peer.named("failing process").length === 1, "the failed action arrives");
  const [failed] = peer.named("failing process");
  assert.deepEqual([failed?.hasError, failed?.attributes["error.type"]], [true, "RangeError"]);
});
