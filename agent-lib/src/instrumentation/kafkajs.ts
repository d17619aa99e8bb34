/**
 * Messages sent and consumed with kafkajs. Producers and consumers are plain objects of closures, so what makes them is
 * patched. A call that sends has one span for each of its topics, in which it lasts until the brokers have answered. Each
 * message is consumed as a background action that continues its sender's trace; a batch as one that has links to them.
 */
import { MAX_EVENTS_PER_SPAN } from "@apm-daemon/protocol";
import type { Link } from "@opentelemetry/api";
import { markDatabaseError } from "../tracer/exception.ts";
import type { ApmSpan } from "../tracer/span.ts";
import { parseTraceparent, traceparentOf } from "../tracer/trace-context.ts";
import type { ApmTracer } from "../tracer/tracer.ts";
import { truncate } from "../tracer/truncate.ts";
import { replaceMethod } from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import { type Destination, endSend, runConsumer, startSend } from "./message-work.ts";
import { looksLike, type Method } from "./patches.ts";

interface TopicMessages {
  readonly topic?: unknown;
  readonly messages?: unknown;
}
interface SendRequest extends TopicMessages {
  readonly topicMessages?: unknown;
}
interface SentMessage {
  readonly value?: unknown;
  readonly headers?: unknown;
}
interface ReceivedMessage {
  readonly offset?: unknown;
  readonly headers?: { readonly traceparent?: unknown };
}
interface Received {
  readonly topic?: unknown;
  readonly partition?: unknown;
}
interface EachMessage extends Received {
  readonly message?: ReceivedMessage;
}
interface EachBatch {
  readonly batch?: Received & { readonly messages?: readonly ReceivedMessage[] };
}
type Methods = Record<string, Method>;

const SYSTEM = "kafka";
/** Kafka's limit is 249; with what is done to it a topic has to fit into a span's name. */
const MAX_TOPIC_CHARS = 240;
/** A traceparent has 55 characters; one of a later version may have more. */
const MAX_TRACEPARENT_BYTES = 256;
/** Messages of a batch that are looked through for senders to link to. */
const MAX_LOOKED_AT = 1_024;

export function instrumentKafkajs(parts: InstrumentationParts): void {
  const { libraries, patches, log } = parts;
  const tracer = parts.provider.tracer(SYSTEM);
  const made = (original: Method, instrument: (object: Methods, options: unknown) => void): Method =>
    function (this: unknown, ...args: unknown[]): unknown {
      const object = original.apply(this, args);
      try {
        instrument(object as Methods, args[0]);
      } catch (error) {
        log.internalError("kafkajs", error);
      }
      return object;
    };
  libraries.onLoad("kafkajs/src/index.js", (exports) => {
    const { prototype } = exports as { prototype: object };
    patches.wrap(prototype, "producer", (original) =>
      made(original, (producer) => {
        followSends(producer, tracer, parts);
        replace(producer, "transaction", (begin) => wrapTransaction(begin, tracer, parts));
      }),
    );
    patches.wrap(prototype, "consumer", (original) =>
      made(original, (consumer, options) => {
        const group = (options as { groupId?: unknown } | undefined)?.groupId;
        replace(consumer, "run", (run) => wrapRun(run, String(group), parts));
      }),
    );
  });
}

function replace(object: Methods, name: string, make: (original: Method) => Method): void {
  const original = object[name];
  if (typeof original === "function") replaceMethod(object, name, looksLike(make(original), original));
}

function followSends(sender: Methods, tracer: ApmTracer, parts: InstrumentationParts): void {
  replace(sender, "send", (original) => wrapSend(original, false, tracer, parts));
  replace(sender, "sendBatch", (original) => wrapSend(original, true, tracer, parts));
}

function wrapTransaction(begin: Method, tracer: ApmTracer, parts: InstrumentationParts): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const begun = begin.apply(this, args) as Promise<Methods>;
    return begun.then((transaction) => {
      followSends(transaction, tracer, parts);
      return transaction;
    });
  };
}

function wrapSend(
  original: Method,
  isBatch: boolean,
  tracer: ApmTracer,
  { log }: InstrumentationParts,
): Method {
  const start = (request: SendRequest | undefined): Sends | null => {
    try {
      if (request === undefined) return null;
      return isBatch ? startSendBatch(tracer, request) : startSends(tracer, [request], ([sent]) => sent);
    } catch (error) {
      log.internalError("kafkajs", error);
      return null;
    }
  };
  return function (this: unknown, ...args: unknown[]): unknown {
    const sends = start(args[0] as SendRequest | undefined);
    if (sends === null) return original.apply(this, args);
    const result = original.apply(this, args.with(0, sends.request)) as Promise<unknown>;
    return result.then(
      (value) => {
        for (const span of sends.spans) endSend(span, undefined);
        return value;
      },
      (error: unknown) => {
        // Its text may be the refused message, or one of its values.
        markDatabaseError(error);
        for (const span of sends.spans) endSend(span, error);
        throw error;
      },
    );
  };
}

interface Sends {
  readonly spans: readonly ApmSpan[];
  /** What to call with in the place of the app's request. */
  readonly request: unknown;
}

function startSendBatch(tracer: ApmTracer, request: SendRequest): Sends | null {
  const { topicMessages } = request;
  if (!Array.isArray(topicMessages)) return null;
  return startSends(tracer, topicMessages, (sent) => copyWith(request, { topicMessages: sent }));
}

function startSends(
  tracer: ApmTracer,
  entries: readonly TopicMessages[],
  requestOf: (entries: unknown[]) => unknown,
): Sends | null {
  const sends = new Map<string, { span: ApmSpan; traceparent: string; count: number }>();
  const sent = entries.map((entry) => {
    const { topic, messages } = entry;
    // The library refuses the others.
    if (typeof topic !== "string" || topic === "" || !Array.isArray(messages)) return entry;
    let send = sends.get(topic);
    if (send === undefined) {
      const span = startSend(tracer, destinationOf(topic), "send");
      if (span === null) return entry;
      send = { span, traceparent: traceparentOf(span), count: 0 };
      sends.set(topic, send);
    }
    const { traceparent } = send;
    send.count += messages.length;
    return copyWith(entry, { messages: messages.map((message) => withTraceparent(message, traceparent)) });
  });
  if (sends.size === 0) return null;
  for (const { span, count } of sends.values())
    if (count > 1) span.put("messaging.batch.message_count", count);
  return { spans: [...sends.values()].map(({ span }) => span), request: requestOf(sent) };
}

/** Messages that the library is going to refuse stay as they are: its errors quote them. */
function withTraceparent(message: SentMessage, traceparent: string): SentMessage {
  const { value, headers = {} } = message;
  if (value === undefined || typeof headers !== "object" || headers === null) return message;
  return copyWith(message, { headers: { ...headers, traceparent } });
}

/**
 * The app's own objects, which may be frozen or sent again, stay as they are. Getters of a class may need the object
 * itself, so one that has any is not copied, and its messages do not carry the trace.
 */
function copyWith<T extends object>(source: T, changes: Partial<T>): T {
  const prototype = Object.getPrototypeOf(source) as object | null;
  return hasGetters(prototype) ? source : Object.assign(Object.create(prototype) as T, source, changes);
}

function hasGetters(prototype: object | null): boolean {
  if (prototype === null || prototype === Object.prototype) return false;
  const own = Object.values(Object.getOwnPropertyDescriptors(prototype));
  if (own.some((property) => property.get !== undefined)) return true;
  return hasGetters(Object.getPrototypeOf(prototype) as object | null);
}

function wrapRun(original: Method, group: string, parts: InstrumentationParts): Method {
  const traced = (config: { eachMessage?: unknown; eachBatch?: unknown } | undefined): unknown => {
    try {
      if (config === undefined) return config;
      const { eachMessage, eachBatch } = config;
      return copyWith(config, {
        ...(typeof eachMessage === "function" && {
          eachMessage: wrapEachMessage(eachMessage as Method, group, parts),
        }),
        ...(typeof eachBatch === "function" && {
          eachBatch: wrapEachBatch(eachBatch as Method, group, parts),
        }),
      });
    } catch (error) {
      parts.log.internalError("kafkajs", error);
      return config;
    }
  };
  return function (this: unknown, ...args: unknown[]): unknown {
    return original.apply(
      this,
      args.length === 0 ? args : args.with(0, traced(args[0] as object | undefined)),
    );
  };
}

function wrapEachMessage(handler: Method, group: string, parts: InstrumentationParts): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [{ topic, partition, message }] = args as [EachMessage];
    const describe = (span: ApmSpan): void => {
      describeReceived(span, group, partition);
      const offset = Number(message?.offset);
      if (Number.isSafeInteger(offset)) span.put("messaging.kafka.offset", offset);
    };
    const handle = (): unknown => handler.apply(this, args);
    return runConsumer(parts, destinationOf(topic), traceparentIn(message), handle, describe);
  };
}

function wrapEachBatch(handler: Method, group: string, parts: InstrumentationParts): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [{ batch }] = args as [EachBatch];
    const describe = (span: ApmSpan): void => {
      describeReceived(span, group, batch?.partition);
      const messages = batch?.messages ?? [];
      span.put("messaging.batch.message_count", messages.length);
      span.addLinks(sendersOf(messages));
    };
    const handle = (): unknown => handler.apply(this, args);
    return runConsumer(parts, destinationOf(batch?.topic), undefined, handle, describe);
  };
}

function describeReceived(span: ApmSpan, group: string, partition: unknown): void {
  span.put("messaging.consumer.group.name", group);
  span.put("messaging.destination.partition.id", String(partition));
}

/** Each once: messages that were sent by one call have the same. */
function sendersOf(messages: readonly ReceivedMessage[]): Link[] {
  const links = new Map<string, Link>();
  for (const message of messages.slice(0, MAX_LOOKED_AT)) {
    const traceparent = traceparentIn(message);
    if (traceparent === undefined || links.has(traceparent)) continue;
    const context = parseTraceparent(traceparent, "");
    if (context !== null) links.set(traceparent, { context });
    if (links.size === MAX_EVENTS_PER_SPAN) break;
  }
  return [...links.values()];
}

/** Of several in one message none is to be believed. */
function traceparentIn(message: ReceivedMessage | undefined): string | undefined {
  const header = message?.headers?.traceparent;
  return Buffer.isBuffer(header) ? header.toString("latin1", 0, MAX_TRACEPARENT_BYTES) : undefined;
}

/** Which broker has a message is known deep below alone: the leader of its partition. */
function destinationOf(topic: unknown): Destination {
  return { system: SYSTEM, name: truncate(String(topic), MAX_TOPIC_CHARS), address: "", port: 0 };
}
