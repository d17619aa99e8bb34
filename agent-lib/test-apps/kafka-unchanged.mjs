// What an app sees of kafkajs, as lines. The arguments are the name that it is installed by, and the broker's address.
import { createRequire } from "node:module";

const [, , library, broker] = process.argv;
const { Kafka, Partitioners, logLevel } = createRequire(import.meta.url)(library);
// Patient: on a busy machine even a connection to loopback takes its time.
const retry = { initialRetryTime: 10, maxRetryTime: 200, retries: 50 };
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, connectionTimeout: 20_000, retry });
const topic = `unchanged-${library}-${process.pid}`;
const lines = [];
const say = (...what) => lines.push(what.map((part) => JSON.stringify(part) ?? "undefined").join(" "));

const seen = [];
const createPartitioner = () => {
  const choose = Partitioners.DefaultPartitioner();
  return (input) => {
    const { key, value, kind } = input.message;
    seen.push([String(key), value, kind, input.message.constructor?.name]);
    return Math.max(0, Math.min(choose(input), 0));
  };
};
class Order {
  kind = "order";
  key = "k";
  value = "of a class";
  describe() {
    return this.value;
  }
}
class Guarded {
  #key = "guarded";
  value = "of a class with getters";
  get key() {
    return this.#key;
  }
}

const producer = kafka.producer({ createPartitioner });
say(Object.keys(producer), producer.send.name, producer.send.length, Object.keys(kafka));
const once = (source, event) => new Promise((resolve) => source.on(event, resolve));
const attempt = async (name, work) => {
  const promise = work();
  say(name, promise instanceof Promise && promise.constructor.name);
  try {
    const result = await promise;
    say(name, "sent", result.length, Object.keys(result[0]));
  } catch (error) {
    say(name, error.name, error.message, Object.keys(error));
  }
};
await attempt("not connected", () => producer.send({ topic, messages: [{ value: "x" }] }));
await producer.connect();
const headers = Object.freeze({ mine: "1" });
const frozen = Object.freeze({ key: "k", value: "frozen", headers, partition: 0 });
const request = Object.freeze({ topic, messages: Object.freeze([frozen]), acks: -1 });
await attempt("frozen", () => producer.send(request));
await attempt("again", () => producer.send(request));
await attempt("classes", () => producer.send({ topic, messages: [new Order(), new Guarded()] }));
await attempt("tombstone", () => producer.send({ topic, messages: [{ key: "k", value: null }] }));
await attempt("batch", () =>
  producer.sendBatch({
    topicMessages: [
      { topic, messages: [{ value: "b1" }] },
      { topic, messages: [{ value: "b2" }] },
    ],
  }),
);
// Release 1 refuses such headers.
const several = [{ value: "x", headers: { several: ["a", "b"] } }];
await attempt("several", () => producer.send({ topic: `${topic}-too`, messages: several }));
await attempt("no request", () => producer.send());
await attempt("no topic", () => producer.send({ messages: [{ value: "x" }] }));
await attempt("no messages", () => producer.send({ topic }));
await attempt("no value", () =>
  producer.send({ topic, messages: [{ value: "x" }, { key: "k", headers: { a: "1" } }] }),
);
await attempt("null headers", () => producer.send({ topic, messages: [{ value: "x", headers: null }] }));
await attempt("wrong header", () =>
  producer.send({ topic, messages: [{ value: "x", headers: { n: 4711 } }] }),
);
await attempt("no batch", () => producer.sendBatch({ topicMessages: undefined }));
say("partitioner", seen);
say("kept", frozen, Object.keys(request));

const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 100, retry });
say(Object.keys(consumer), consumer.run.name, consumer.run.length);
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
let failures = 0;
let handled = 0;
let allHandled;
const untilHandled = new Promise((resolve) => {
  allHandled = resolve;
});
const config = Object.freeze({
  async eachMessage(payload) {
    const { message, partition } = payload;
    const { traceparent: _, ...others } = message.headers;
    if (message.offset === "1" && failures++ < 2) throw new Error("no stock");
    if (message.offset === "7") throw new RangeError("kafkajs does not try such errors again");
    await payload.heartbeat();
    say(
      message.offset,
      partition,
      String(message.value),
      others,
      Object.keys(payload),
      this?.constructor.name,
    );
    if (++handled === 7) allHandled();
  },
});
say("run", await consumer.run(config), Object.keys(config));
await untilHandled;
say("failed", failures, "handled", handled);
const crashed = once(consumer, "consumer.crash");
await producer.send({ topic, messages: [{ value: "the last" }] });
const { payload } = await crashed;
say(payload.error.name, payload.error.message, payload.restart);
await consumer.disconnect();
await producer.disconnect();
await attempt("disconnected", () => producer.send({ topic, messages: [{ value: "x" }] }));
console.log(lines.join("\n").replaceAll(topic, "TOPIC"));
