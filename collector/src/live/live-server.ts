/**
 * The browsers' WebSocket: one a tab, on LIVE_PATH. The page says `{"watch":{"host":"web-1"}}`, `{"watch":{"app":"shop"}}` or
 * `{"watch":null}`, and gets LiveMessages as they come. Nothing else is read from it, and it can change nothing. When its log-in ends it
 * is closed with CLOSE_LOGIN_ENDED within a second or two: a log-out, an expiry and a new password, which another process writes, are all
 * seen by looking again.
 */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { type WebSocket, WebSocketServer } from "ws";
import { z } from "zod";
import { type LiveMessage, type LiveTopic, type TopicOptions, watchTopic } from "./live-topic.ts";

export const LIVE_PATH = "/api/v1/live";
const MAX_BROWSERS = 200;
const MAX_MESSAGE_BYTES = 8_192;
/** What a slow browser does not take must not pile up here: its seconds are left out. */
const MAX_WAITING_BYTES = 262_144;
const PING_EVERY_MS = 20_000;
const CLOSE_BAD_MESSAGE = 1008;
const CLOSE_GOING_AWAY = 1001;
/** 4000..4999 are for applications; this one reads as HTTP's 401. */
const CLOSE_LOGIN_ENDED = 4401;
const LOGIN_CHECK_MS = 1_000;

const name = z.string().min(1).max(1_024);
const RequestSchema: z.ZodType<{ watch: LiveTopic | null }> = z.object({
  watch: z.union([z.strictObject({ host: name }), z.strictObject({ app: name })]).nullable(),
});

export interface LiveServerOptions extends TopicOptions {
  /** Why this browser may not connect, with an HTTP status; null when it may. */
  refusal: (request: IncomingMessage) => { status: number; sentence: string } | null;
  /** Whether the log-in that this browser was let in with has ended. */
  hasLoginEnded: (request: IncomingMessage) => boolean;
  log: Logger;
}

export class LiveServer {
  readonly #options: LiveServerOptions;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  readonly #silent = new WeakSet<WebSocket>();
  /** The request that each tab came with. */
  readonly #requests = new WeakMap<WebSocket, IncomingMessage>();
  readonly #timers: readonly NodeJS.Timeout[];
  #isStopped = false;

  constructor(options: LiveServerOptions) {
    this.#options = options;
    this.#timers = [
      setInterval(() => this.#ping(), PING_EVERY_MS).unref(),
      setInterval(() => this.#checkLogins(), LOGIN_CHECK_MS).unref(),
    ];
  }

  /** Tabs that are connected. */
  get count(): number {
    return this.#sockets.clients.size;
  }

  /** Takes the upgrade if it is for this path; false leaves it to others. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if ((request.url ?? "").split("?", 1)[0] !== LIVE_PATH) return false;
    socket.on("error", () => socket.destroy());
    const refusal = this.#isStopped || this.count >= MAX_BROWSERS ? TOO_MANY : this.#options.refusal(request);
    if (refusal === null)
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.#requests.set(webSocket, request);
        this.#serve(webSocket);
      });
    else refuse(socket, refusal);
    return true;
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets.clients) {
      socket.close(CLOSE_GOING_AWAY, "the collector stops");
      socket.terminate();
    }
  }

  #serve(socket: WebSocket): void {
    let end: (() => void) | null = null;
    /** Counts requests, so that of two that overtake each other the later one holds. */
    let asked = 0;
    socket.on("error", (error) =>
      this.#options.log.debug({ err: error }, "a browser's live connection failed"),
    );
    socket.on("pong", () => this.#silent.delete(socket));
    socket.on("close", () => {
      asked++;
      end?.();
      end = null;
    });
    socket.on("message", (data, isBinary) => {
      const wanted = isBinary ? null : parseRequest((data as Buffer).toString("utf8"));
      if (wanted === null) return socket.close(CLOSE_BAD_MESSAGE, "this is no watch");
      const mine = ++asked;
      end?.();
      end = null;
      if (wanted.watch === null) return;
      watchTopic(this.#options, wanted.watch, (message) => tell(socket, message)).then(
        (leave) => {
          if (mine === asked) end = leave;
          else leave();
        },
        (error: Error) => {
          this.#options.log.warn(
            { err: error },
            "nobody can be watched now; the browser falls back to polling",
          );
          socket.close(CLOSE_GOING_AWAY, "the store does not answer");
        },
      );
    });
  }

  #checkLogins(): void {
    for (const socket of this.#sockets.clients) {
      const request = this.#requests.get(socket);
      if (socket.readyState === socket.OPEN && request !== undefined && this.#options.hasLoginEnded(request))
        socket.close(CLOSE_LOGIN_ENDED, "the log-in has ended");
    }
  }

  /** A tab that is gone without a word is noticed at the second ping. */
  #ping(): void {
    for (const socket of this.#sockets.clients) {
      if (this.#silent.has(socket)) socket.terminate();
      this.#silent.add(socket);
      socket.ping();
    }
  }
}

const TOO_MANY = { status: 503, sentence: `More than ${MAX_BROWSERS} tabs are live; close one, or poll.` };

function tell(socket: WebSocket, message: LiveMessage): void {
  if (socket.readyState !== socket.OPEN || socket.bufferedAmount > MAX_WAITING_BYTES) return;
  socket.send(JSON.stringify(message));
}

function parseRequest(text: string): { watch: LiveTopic | null } | null {
  try {
    return RequestSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function refuse(socket: Duplex, { status, sentence }: { status: number; sentence: string }): void {
  const body = `${sentence}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
