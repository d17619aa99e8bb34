/**
 * Messages published and consumed with amqplib, by its promises and its callbacks. A publish is over when it is handed to
 * the connection, as its caller sees it; a consumer's action when its handler returns, or when the promise settles that it
 * returns.
 */
import type { Socket } from "node:net";
import type { ApmSpan } from "../tracer/span.ts";
import { traceparentOf } from "../tracer/trace-context.ts";
import { bindToContext } from "./database-call.ts";
import type { InstrumentationParts } from "./instrumentation-parts.ts";
import { type Destination, endSend, runConsumer, startSend } from "./message-work.ts";
import type { Method } from "./patches.ts";

interface Channel {
  readonly connection?: { readonly stream?: Partial<Socket> };
}
interface Message {
  readonly properties?: { readonly headers?: Record<string, unknown> };
}
interface PublishOptions {
  readonly headers?: object;
}

const SYSTEM = "rabbitmq";

export function instrumentAmqplib(parts: InstrumentationParts): void {
  const { libraries, patches, storage } = parts;
  for (const file of ["amqplib/lib/channel_model.js", "amqplib/lib/callback_model.js"]) {
    libraries.onLoad(file, (exports) => {
      const { Channel, ConfirmChannel } = exports as Record<string, { prototype: object }>;
      if (Channel === undefined || ConfirmChannel === undefined) return;
      // Publishing to a queue, and with a confirmation, both come down to this one.
      patches.wrap(Channel.prototype, "publish", (original) => wrapPublish(original, parts));
      patches.wrap(Channel.prototype, "consume", (original) => wrapConsume(original, parts));
      patches.wrap(ConfirmChannel.prototype, "publish", (original) => {
        return function (this: unknown, ...args: unknown[]): unknown {
          const confirmed = args[4];
          // Confirmations come in the context of the connection.
          const bound =
            typeof confirmed === "function" ? bindToContext(confirmed as Method, storage) : confirmed;
          return original.apply(this, args.length > 4 ? args.with(4, bound) : args);
        };
      });
    });
  }
}

function wrapPublish(original: Method, { provider, log }: InstrumentationParts): Method {
  const tracer = provider.tracer(SYSTEM);
  const start = (channel: Channel, args: unknown[]): { span: ApmSpan; traced: unknown[] } | null => {
    try {
      const [exchange, key, content, options] = args;
      const span = startSend(tracer, destinationOf(channel, exchange === "" ? key : exchange), "publish");
      if (span === null) return null;
      const withTrace = withTraceparent(options as PublishOptions | undefined, traceparentOf(span));
      return { span, traced: [exchange, key, content, withTrace, ...args.slice(4)] };
    } catch (error) {
      log.internalError("amqplib", error);
      return null;
    }
  };
  return function (this: unknown, ...args: unknown[]): unknown {
    const started = start(this as Channel, args);
    if (started === null) return original.apply(this, args);
    try {
      const result = original.apply(this, started.traced);
      endSend(started.span, undefined);
      return result;
    } catch (error) {
      endSend(started.span, error);
      throw error;
    }
  };
}

/** The app's own options, which may be frozen, stay as they are; amqplib reads what these inherit from them. */
function withTraceparent(options: PublishOptions | undefined, traceparent: string): object {
  const own = (value: unknown): PropertyDescriptor => ({ value, enumerable: true });
  const headers = Object.create(options?.headers ?? {}, { traceparent: own(traceparent) }) as object;
  return Object.create(options ?? {}, { headers: own(headers) }) as object;
}

function wrapConsume(original: Method, parts: InstrumentationParts): Method {
  return function (this: unknown, ...args: unknown[]): unknown {
    const [queue, handler] = args;
    if (typeof handler !== "function") return original.apply(this, args);
    const destination = destinationOf(this as Channel, queue);
    const handle = function (this: unknown, ...received: unknown[]): unknown {
      const [message] = received as [Message | null];
      const call = (): unknown => Reflect.apply(handler, this, received) as unknown;
      // Null tells that the broker has cancelled the consumer.
      return message === null
        ? call()
        : runConsumer(parts, destination, message.properties?.headers?.["traceparent"], call);
    };
    return original.apply(this, args.with(1, handle));
  };
}

function destinationOf({ connection }: Channel, name: unknown): Destination {
  const { remoteAddress = "", remotePort = 0 } = connection?.stream ?? {};
  return { system: SYSTEM, name: shownName(String(name)), address: remoteAddress, port: remotePort };
}

/** Queues of which the broker makes up the name live as long as a connection: their names are too many. */
function shownName(name: string): string {
  return name === "" || name.startsWith("amq.gen-") || name.startsWith("amq.rabbitmq.reply-to")
    ? "(temporary)"
    : name;
}
