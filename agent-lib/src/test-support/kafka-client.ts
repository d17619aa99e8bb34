/** As much of kafkajs, in any release, as its tests use: it is loaded by the name that it is installed by. */
import { createRequire } from "node:module";
import { context, createContextKey } from "@opentelemetry/api";

interface Message {
  key?: string;
  value: string | null | undefined;
  headers?: Record<string, unknown>;
  partition?: number;
}
interface TopicMessages {
  topic: string;
  messages: Message[];
}
interface Sender {
  send(request: TopicMessages): Promise<{ baseOffset: string }[]>;
  sendBatch(request: { topicMessages: TopicMessages[] }): Promise<unknown[]>;
}
interface Transaction extends Sender {
  commit(): Promise<void>;
}
export interface Producer extends Sender {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  transaction(): Promise<Transaction>;
}
export interface ReceivedMessage {
  offset: string;
  value: Buffer | null;
  headers: Record<string, unknown>;
}
export interface Handlers {
  eachMessage?: (payload: { topic: string; partition: number; message: ReceivedMessage }) => Promise<void>;
  eachBatch?: (payload: { batch: { topic: string; messages: ReceivedMessage[] } }) => Promise<void>;
  partitionsConsumedConcurrently?: number;
}
export interface Consumer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(topic: { topic: string; fromBeginning: boolean }): Promise<void>;
  run(handlers: Handlers): Promise<void>;
}
interface Kafka {
  producer(options?: object): Producer;
  consumer(options: object): Consumer;
}
interface Kafkajs {
  Kafka: new (options: object) => Kafka;
  logLevel: { NOTHING: number };
}
export type EachMessage = NonNullable<Handlers["eachMessage"]>;
export type EachBatch = NonNullable<Handlers["eachBatch"]>;

const require = createRequire(import.meta.url);

/** Patient by default: on a busy machine even a connection to loopback takes its time. */
export function kafkaClient(release: string, broker: string, retries = 50): Kafka {
  const { Kafka, logLevel } = require(release) as Kafkajs;
  return new Kafka({
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 20_000,
    retry: { initialRetryTime: 20, maxRetryTime: 200, retries },
  });
}

const SUPPRESSED: symbol = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

/** As work that asks for it is done: without a span, so that messages keep the headers that they have. */
export function unfollowed<T>(work: () => T): T {
  return context.with(context.active().setValue(SUPPRESSED, true), work);
}

export function traceparentOf(n: number): string {
  return `00-${String(n).padStart(32, "0")}-${String(n).padStart(16, "0")}-01`;
}
