import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DEFAULT_AGENT_SETTINGS } from "@apm-daemon/protocol";
import { trace } from "@opentelemetry/api";
import { action, start, stop } from "../index.ts";
import { DaemonPeer, type ReceivedSpan, until } from "../test-support/daemon-peer.ts";
import { DatabaseServers } from "../test-support/database-servers.ts";
import {
  type Consumer,
  type EachBatch,
  type EachMessage,
  type Handlers,
  kafkaClient,
  type Producer,
  type ReceivedMessage,
  traceparentOf,
  unfollowed,
} from "../test-support/kafka-client.ts";
import { appPath, REGISTER, runNode } from "../test-support/run-app.ts";

const servers = await DatabaseServers.start("kafka");
// No budget: a busy machine must not make it leave calls out.
const peer = new DaemonPeer({
  settings: { ...DEFAULT_AGENT_SETTINGS, flushIntervalMs: 10, overheadBudgetRatio: 0 },
});
const RELEASES = ["kafkajs", "kafkajs1"];
const ONE_PARTITION = { partition: 0 };

before(async () => {
  await peer.listen();
  start({ socket: peer.path, appName: "topics", log: false });
});

after(async () => {
  stop();
  await peer.close();
  await servers.stop();
});

const senders = (spans: readonly ReceivedSpan[]): Map<string, ReceivedSpan> =>
  new Map(spans.map((span) => [span.spanId, span]));

/** All groups are joined at once: the broker waits 3 s for more members. */
describe("kafkajs", { skip: servers.skip, concurrency: true }, () => {
  for (const release of RELEASES)
    describe(release, () => {
      const topic = (name: string): string => `${release}-${name}`;
      const broker = servers.skip === false ? servers.url("kafka").host : "";
      const kafka = kafkaClient(release, broker);
      let producer: Producer;
      const consumers: Consumer[] = [];
      const onMessage = new Map<string, EachMessage>();
      const onBatch = new Map<string, EachBatch>();
      const consume = async (groupId: string, topics: string[], handlers: Handlers): Promise<void> => {
        const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, retry: {} });
        consumers.push(consumer);
        await consumer.connect();
        for (const name of topics) await consumer.subscribe({ topic: topic(name), fromBeginning: true });
        await consumer.run(handlers);
      };

      before(async () => {
        producer = kafka.producer();
        await producer.connect();
        // Topics are made when they are first named.
        const topics = ["orders", "many", "strange", "transactions", "first", "second"];
        const batches = ["batches", "large"];
        const eachMessage: EachMessage = async (got) => onMessage.get(got.topic)?.(got);
        const eachBatch: EachBatch = async (got) => onBatch.get(got.batch.topic)?.(got);
        await Promise.all([
          consume(topic("messages"), topics, { eachMessage, partitionsConsumedConcurrently: 4 }),
          consume(topic("batches"), batches, { eachBatch, partitionsConsumedConcurrently: 4 }),
          // A failure ends all fetches of its consumer.
          consume(topic("failures"), ["failing"], { eachMessage }),
          consume(topic("bad-batches"), ["bad-batches"], { eachBatch }),
        ]);
      });

      after(async () => {
        await Promise.all(consumers.map((consumer) => consumer.disconnect()));
        await producer.disconnect();
      });

      test("a message's consumer is a background action that continues its sender's trace", async () => {
        const orders = topic("orders");
        const handled: ReceivedMessage[] = [];
        onMessage.set(orders, async ({ message }) => {
          await new Promise((resolve) => setTimeout(resolve, 10));
          trace.getTracer("test").startSpan(`${orders} work`).end();
          handled.push(message);
        });
        const headers = Object.freeze({ mine: "1" });
        const message = Object.freeze({
          key: "canary-key",
          value: "canary-value",
          headers,
          ...ONE_PARTITION,
        });
        const request = { topic: orders, messages: [message] };
        const sent = await action(`${orders} sender`, () => producer.send(request));
        assert.equal(sent[0]?.baseOffset, "0");
        await until(() => peer.named(`${orders} process`).length === 1, "the consumer's span arrives");
        const [sender] = peer.named(`${orders} sender`);
        const [send] = peer.named(`${orders} send`);
        const [process] = peer.named(`${orders} process`);
        assert.deepEqual([send?.kind, send?.parentId, send?.hasError], [3, sender?.spanId, false]);
        assert.deepEqual(
          [
            process?.kind,
            process?.isLocalRoot,
            process?.hasRemoteParent,
            process?.parentId,
            process?.traceId,
          ],
          [4, true, true, send?.spanId, sender?.traceId],
        );
        assert.equal(peer.named(`${orders} work`)[0]?.parentId, process?.spanId);
        assert.ok((process?.durationMs ?? 0) >= 9);
        assert.deepEqual(send?.attributes, {
          "messaging.system": "kafka",
          "messaging.destination.name": orders,
          "messaging.operation.name": "send",
          "messaging.operation.type": "send",
        });
        assert.deepEqual(process?.attributes, {
          "messaging.system": "kafka",
          "messaging.destination.name": orders,
          "messaging.operation.name": "process",
          "messaging.operation.type": "process",
          "messaging.consumer.group.name": topic("messages"),
          "messaging.destination.partition.id": "0",
          "messaging.kafka.offset": 0,
        });
        assert.equal(String(handled[0]?.value), "canary-value");
        assert.equal(String(handled[0]?.headers["mine"]), "1");
        assert.deepEqual([Object.keys(headers), request.messages], [["mine"], [message]]);
        assert.equal(Buffer.concat(peer.received).includes("canary"), false);
      });

      test("200 messages at once keep their senders apart", async () => {
        const many = topic("many");
        let work = 0;
        onMessage.set(many, async () => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          trace.getTracer("test").startSpan(`${many} work`).end();
          work++;
        });
        await Promise.all(
          Array.from({ length: 200 }, (_, i) =>
            action(`${many} sender`, () => producer.send({ topic: many, messages: [{ value: String(i) }] })),
          ),
        );
        await until(() => peer.named(`${many} process`).length >= 200, "all are handled");
        assert.equal(work, 200);
        const actions = senders(peer.named(`${many} sender`));
        const sends = senders(peer.named(`${many} send`));
        const processes = senders(peer.named(`${many} process`));
        assert.equal(new Set(peer.named(`${many} process`).map(({ parentId }) => parentId)).size, 200);
        for (const { parentId, traceId } of processes.values()) {
          const send = sends.get(parentId);
          assert.equal(send?.traceId, traceId);
          assert.equal(actions.get(send?.parentId ?? "")?.traceId, traceId);
        }
        for (const { parentId, traceId } of peer.named(`${many} work`))
          assert.equal(processes.get(parentId)?.traceId, traceId);
      });

      test("a handler that throws fails its action, and the next attempt is another one", async () => {
        const failing = topic("failing");
        let attempts = 0;
        onMessage.set(failing, async () => {
          if (++attempts <= 2) throw new Error(`no stock ${attempts}`);
        });
        await producer.send({ topic: failing, messages: [{ value: "x" }] });
        await until(() => peer.named(`${failing} process`).length === 3, "three attempts arrive");
        const processes = peer.named(`${failing} process`);
        const [send] = peer.named(`${failing} send`);
        assert.deepEqual(
          processes.map(({ hasError, attributes }) => [hasError, attributes["error.type"]]),
          [
            [true, "Error"],
            [true, "Error"],
            [false, undefined],
          ],
        );
        const message = processes[0]?.extra.events?.[0]?.attributes?.["exception.message"];
        assert.equal(message, "no stock 1");
        assert.ok(processes.every(({ parentId }) => parentId === send?.spanId));
      });

      test("one call with several topics has a span for each", async () => {
        const [first, second] = [topic("first"), topic("second")];
        await action(`${first} sender`, () =>
          producer.sendBatch({
            topicMessages: [
              { topic: first, messages: [{ value: "1" }, { value: "2" }] },
              { topic: second, messages: [{ value: "3" }] },
              { topic: first, messages: [{ value: "4" }] },
            ],
          }),
        );
        await until(() => peer.named(`${first} process`).length === 3, "the first topic's are handled");
        await until(() => peer.named(`${second} process`).length === 1, "the second topic's is handled");
        for (const [name, count] of [
          [first, 3],
          [second, undefined],
        ]) {
          const sends = peer.named(`${name} send`);
          assert.equal(sends.length, 1);
          assert.equal(sends[0]?.attributes["messaging.batch.message_count"], count);
          assert.equal(sends[0]?.parentId, peer.named(`${first} sender`)[0]?.spanId);
          for (const { parentId } of peer.named(`${name} process`)) assert.equal(parentId, sends[0]?.spanId);
        }
      });

      test("a batch is an action with links to its senders, each once, 16 at most", async () => {
        const [batches, large] = [topic("batches"), topic("large")];
        const sizes = new Map<string, number>();
        const count: EachBatch = async ({ batch }) => {
          sizes.set(batch.topic, (sizes.get(batch.topic) ?? 0) + batch.messages.length);
          trace.getTracer("test").startSpan(`${batch.topic} work`).end();
        };
        onBatch.set(batches, count).set(large, count);
        const messages = Array.from({ length: 20 }, (_, i) => ({ value: String(i), ...ONE_PARTITION }));
        await producer.send({ topic: batches, messages });
        const strangers = messages.map((message, i) => ({
          ...message,
          headers: { traceparent: i === 0 ? "none" : traceparentOf(i) },
        }));
        await unfollowed(() => producer.send({ topic: large, messages: strangers }));
        await until(() => peer.named(`${batches} process`).length === 1, "the batch's action arrives");
        await until(() => peer.named(`${large} process`).length === 1, "the large one's arrives");
        const [send] = peer.named(`${batches} send`);
        const [process] = peer.named(`${batches} process`);
        assert.deepEqual(process?.extra.links, [{ traceId: send?.traceId, spanId: send?.spanId }]);
        assert.deepEqual([process?.kind, process?.isLocalRoot, process?.parentId], [4, true, ""]);
        assert.equal(process?.attributes["messaging.batch.message_count"], 20);
        assert.equal(peer.named(`${batches} work`)[0]?.parentId, process?.spanId);
        const { links } = peer.named(`${large} process`)[0]?.extra ?? {};
        const expected = Array.from({ length: 16 }, (_, i) => traceparentOf(i + 1));
        assert.deepEqual(
          links?.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
          expected,
        );
        assert.deepEqual(peer.named(`${large} send`), []);
        assert.deepEqual([sizes.get(batches), sizes.get(large)], [20, 20]);
      });

      test("a batch's handler that throws fails the action", async () => {
        const bad = topic("bad-batches");
        let attempts = 0;
        onBatch.set(bad, async () => {
          if (++attempts === 1) throw new Error("no stock");
        });
        await producer.send({ topic: bad, messages: [{ value: "x" }] });
        await until(() => peer.named(`${bad} process`).length === 2, "two attempts arrive");
        assert.deepEqual(
          peer.named(`${bad} process`).map(({ hasError }) => hasError),
          [true, false],
        );
      });

      test("a traceparent that is none, or one of several, begins a trace of its own", async () => {
        const strange = topic("strange");
        // Release 1 takes no lists.
        const several = release === "kafkajs1" ? "x".repeat(1_000) : [traceparentOf(1), traceparentOf(2)];
        const headers = ["", "00-0-0-01", several].map((traceparent) => ({ traceparent }));
        const messages = [undefined, ...headers].map((own) => ({ value: "x", ...(own && { headers: own }) }));
        await unfollowed(() => producer.send({ topic: strange, messages }));
        await until(() => peer.named(`${strange} process`).length === 4, "all are handled");
        for (const { parentId, isLocalRoot } of peer.named(`${strange} process`))
          assert.deepEqual([parentId, isLocalRoot], ["", true]);
      });

      test("messages of a transaction are followed as others are", async () => {
        const name = topic("transactions");
        const transactional = kafka.producer({ transactionalId: name });
        await transactional.connect();
        const transaction = await transactional.transaction();
        await action(`${name} sender`, () => transaction.send({ topic: name, messages: [{ value: "x" }] }));
        await transaction.commit();
        await assert.rejects(async () => transaction.send({ topic: name, messages: [{ value: "x" }] }), {
          name: "KafkaJSNonRetriableError",
        });
        await transactional.disconnect();
        await until(() => peer.named(`${name} process`).length === 1, "it is handled");
        await until(() => peer.named(`${name} send`).length === 2, "both calls arrive");
        const [sent, refused] = peer.named(`${name} send`);
        assert.deepEqual([sent?.hasError, refused?.hasError], [false, true]);
        assert.equal(peer.named(`${name} process`)[0]?.parentId, sent?.spanId);
      });

      test("what kafkajs refuses fails the span, without the values that its errors quote", async () => {
        const name = topic("refused");
        const none = { key: "canary of a key", value: undefined };
        const number = { value: "x", headers: { canary: 4711.25 } };
        await assert.rejects(producer.send({ topic: name, messages: [none] }), ({ message }: Error) =>
          message.endsWith(`{"key":"canary of a key"}`),
        );
        await assert.rejects(producer.send({ topic: name, messages: [number] }), TypeError);
        await until(() => peer.named(`${name} send`).length === 2, "both arrive");
        assert.deepEqual(
          peer.named(`${name} send`).map(({ hasError, attributes }) => [hasError, attributes["error.type"]]),
          [
            [true, "KafkaJSNonRetriableError"],
            [true, "TypeError"],
          ],
        );
        assert.doesNotMatch(Buffer.concat(peer.received).toString("latin1"), /canary|4711\.25/);
      });

      test("a broker that has gone fails the span when kafkajs has given up", async (t) => {
        const name = topic("gone");
        const own = await DatabaseServers.start("kafka");
        t.after(() => own.stop());
        const lost = kafkaClient(release, own.url("kafka").host, 2).producer();
        t.after(() => lost.disconnect());
        await lost.connect();
        await lost.send({ topic: name, messages: [{ value: "x" }] });
        await own.stop();
        await assert.rejects(lost.send({ topic: name, messages: [{ value: "x" }] }));
        await lost.disconnect();
        await assert.rejects(lost.send({ topic: name, messages: [{ value: "x" }] }), {
          name: "KafkaJSError",
        });
        await until(() => peer.named(`${name} send`).length === 3, "all three arrive");
        assert.deepEqual(
          peer.named(`${name} send`).map(({ hasError }) => hasError),
          [false, true, true],
        );
      });

      test("an app sees nothing of it", async () => {
        // Node 24 warns of a timer of the library's own, each time with another number.
        const args = ["--no-warnings", appPath("kafka-unchanged.mjs"), release, broker];
        const [plain, end] = await Promise.all([
          runNode(args),
          runNode(["--import", REGISTER, ...args], { APM_SOCKET: peer.path }),
        ]);
        assert.deepEqual(end, plain);
        assert.match(end.stdout, /"failed" 3 "handled" 7/);
        const isIts = new RegExp(`^unchanged-${release}-\\d+ process$`);
        const followed = (): ReceivedSpan[] => peer.spans.filter(({ name }) => isIts.test(name));
        await until(() => followed().length >= 10, "and yet it is followed");
      });
    });
});
