/**
 * One daemon's connection: HELLO, WELCOME, then batches, each answered with one ack or nack.
 *
 *   opened ──hello──► ready ──finish()──► finishing ──all answered──► closed
 *      └─ no hello in 10 s, batch before hello, not a message: closed with the reason
 *
 * Reading pauses while too many batches are unanswered, so a flood waits in the daemon and not in this memory.
 */
import {
  READABLE_CODECS,
  type UplinkAck,
  type UplinkFleet,
  type UplinkHello,
  type UplinkNack,
  type UplinkSettings,
  type UplinkWant,
  type UplinkWantText,
  type UplinkWatch,
  type UplinkWelcome,
} from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { RawData, WebSocket } from "ws";
import * as z from "zod";
import type { SettingsStore } from "../settings/settings-store.ts";
import { type SettingsState, settingsStateOf } from "./connected-daemon.ts";
import { HostIdentitySchema } from "./header-schema.ts";
import { Heartbeat } from "./heartbeat.ts";

const HELLO_TIMEOUT_MS = 10_000;
const KEY_CHECK_MS = 1_000;
/** Some groups of the store, so that a backlog drains at full speed. */
const MAX_UNANSWERED = 64;
const MAX_UNANSWERED_BYTES = 16_777_216;

const MAX_REVISION_CHARS = 64;

const CLOSE_PROTOCOL_ERROR = 1002;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_KEY_REVOKED = 4401;

const HelloSchema: z.ZodType<UplinkHello> = z.object({
  type: z.literal("hello"),
  version: z.literal(1),
  host: HostIdentitySchema,
  stream: z.guid().lowercase(),
  nextNumber: z.int().min(0),
  features: z.exactOptional(z.array(z.string().max(64)).max(64)),
  settingsRevision: z.exactOptional(z.string().max(64).nullable()),
});

export interface UplinkConnectionOptions {
  socket: WebSocket;
  /** Answers a batch; never rejects. */
  take(bytes: Buffer): Promise<UplinkAck | UplinkNack>;
  lastNumber: (stream: string) => number;
  /** See FleetSpread. */
  reconnectSpreadMs: () => number;
  isKeyLive(): boolean;
  /** The peer said which host it is. */
  introduced: (hello: UplinkHello) => void;
  /** What is set in the console. */
  settings: Pick<SettingsStore, "current" | "problem">;
  /** The peer answers a question; the message is what JSON made of it. */
  found: (message: object) => void;
  /** The peer tells a second that somebody watches; the message is what JSON made of it. */
  second: (message: object) => void;
  version: string;
  log: Logger;
}

export class UplinkConnection {
  readonly #options: UplinkConnectionOptions;
  readonly #socket: WebSocket;
  readonly #unanswered: Set<Promise<void>> = new Set();
  readonly #helloTimer: NodeJS.Timeout;
  readonly #heartbeat: Heartbeat;
  readonly #keyTimer: NodeJS.Timeout;
  #unansweredBytes = 0;
  #log: Logger;
  #hello: UplinkHello | null = null;
  #appliedRevision: string | undefined;
  #state: "opened" | "ready" | "finishing" = "opened";

  constructor(options: UplinkConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.#log = options.log;
    this.#helloTimer = setTimeout(() => this.#refuse("no hello came within 10 s"), HELLO_TIMEOUT_MS);
    this.#heartbeat = new Heartbeat({
      ping: () => this.#socket.ping(),
      isReading: () => !this.#socket.isPaused,
      onDead: () => this.#cut(),
    });
    this.#keyTimer = setInterval(() => this.#checkKey(), KEY_CHECK_MS);
    this.#socket.on("message", (data, isBinary) => this.#receive(data, isBinary));
    this.#socket.on("ping", () => this.#heartbeat.heard());
    this.#socket.on("pong", () => this.#heartbeat.heard());
    this.#socket.on("error", (error) => this.#log.warn({ err: error }, "an uplink failed"));
    this.#socket.on("close", (code) => this.#closed(code));
  }

  /** Who it is, null before it has said so; and how it is with the settings there. */
  get peer(): { hello: UplinkHello; settings: SettingsState } | null {
    const hello = this.#hello;
    if (hello === null) return null;
    const { revision } = this.#options.settings.current;
    return { hello, settings: settingsStateOf(hello, this.#appliedRevision, revision) };
  }

  /** Sends what is set in the console now, to a daemon that takes it. */
  sendSettings(): void {
    const { current, problem } = this.#options.settings;
    const takes = this.#state === "ready" && typeof this.#hello?.settingsRevision === "string";
    if (takes && problem === null) this.#send({ type: "settings", ...current });
  }

  /** Reads nothing more, answers what was read, then closes. */
  async finish(): Promise<void> {
    this.#state = "finishing";
    this.#socket.pause();
    await Promise.all(this.#unanswered);
    this.#socket.resume();
    this.#socket.close(CLOSE_GOING_AWAY, "the collector stops");
  }

  /** Tells how long to take to come back when this connection ends. */
  advise(reconnectSpreadMs: number): void {
    if (this.#state === "ready") this.#send({ type: "fleet", reconnectSpreadMs });
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#heartbeat.heard();
    if (this.#state === "finishing") return;
    if (!isBinary) return this.#text((data as Buffer).toString("utf8"));
    if (this.#state === "opened") return this.#refuse("a batch came before the hello");
    if (!this.#checkKey()) return;
    const bytes = data as Buffer;
    this.#unansweredBytes += bytes.length;
    const answered = this.#options.take(bytes).then((answer) => {
      this.#unanswered.delete(answered);
      this.#unansweredBytes -= bytes.length;
      this.#send(answer);
      this.#adjustReading();
    });
    this.#unanswered.add(answered);
    this.#adjustReading();
  }

  /** Asks the daemon for traces of its journal, or for a statement's text. */
  want(message: UplinkWant | UplinkWantText): void {
    this.#send(message);
  }

  /** Asks the daemon for its seconds as they come; 0 ends it. */
  watch(forMs: number): void {
    this.#send({ type: "watch", forMs });
  }

  #text(text: string): void {
    const message = parseMessage(text);
    if (this.#state === "ready" && message?.type === "second") return this.#options.second(message);
    const isAnswer = message?.type === "found" || message?.type === "text";
    if (this.#state === "ready" && isAnswer) this.#options.found(message);
    else if (this.#state === "ready" && message?.type === "applied") this.#noteApplied(message);
    else this.#greet(message);
  }

  #noteApplied({ revision }: { revision?: unknown }): void {
    if (typeof revision === "string") this.#appliedRevision = revision.slice(0, MAX_REVISION_CHARS);
  }

  #greet(message: object | null): void {
    const hello = HelloSchema.safeParse(message).data;
    if (!hello) return this.#refuse("the text message is no hello of version 1");
    clearTimeout(this.#helloTimer);
    this.#state = "ready";
    this.#hello = hello;
    this.#appliedRevision = undefined;
    this.#log = this.#log.child({ host: hello.host.name });
    this.#log.info({ stream: hello.stream, daemonVersion: hello.host.daemonVersion }, "a daemon connected");
    this.#send({
      type: "welcome",
      version: 1,
      collectorVersion: this.#options.version,
      lastNumber: this.#options.lastNumber(hello.stream),
      codecs: [...READABLE_CODECS],
      reconnectSpreadMs: this.#options.reconnectSpreadMs(),
    });
    // After the welcome: what the daemon is asked for now comes behind it.
    this.#options.introduced(hello);
    this.sendSettings();
  }

  #cut(): void {
    this.#log.warn("a daemon was silent for 40 s and answered no ping; its connection is cut");
    this.#socket.terminate();
  }

  /** Cuts an uplink whose key was revoked, and says whether it may go on. */
  #checkKey(): boolean {
    if (this.#state === "finishing") return false;
    if (this.#options.isKeyLive()) return true;
    this.#state = "finishing";
    this.#socket.resume();
    this.#socket.close(CLOSE_KEY_REVOKED, "the license key was revoked");
    return false;
  }

  #adjustReading(): void {
    if (this.#state === "finishing") return;
    if (this.#unanswered.size >= MAX_UNANSWERED || this.#unansweredBytes >= MAX_UNANSWERED_BYTES)
      this.#socket.pause();
    else if (this.#socket.isPaused) this.#socket.resume();
  }

  #send(
    message:
      | UplinkWelcome
      | UplinkAck
      | UplinkNack
      | UplinkFleet
      | UplinkWant
      | UplinkWatch
      | UplinkSettings
      | UplinkWantText,
  ): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #refuse(reason: string): void {
    this.#log.warn({ reason }, "an uplink was closed");
    this.#socket.close(CLOSE_PROTOCOL_ERROR, reason);
  }

  #closed(code: number): void {
    clearTimeout(this.#helloTimer);
    this.#heartbeat.stop();
    clearInterval(this.#keyTimer);
    this.#log.info({ code }, "an uplink ended");
  }
}

function parseMessage(text: string): { type?: unknown; revision?: unknown } | null {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === "object" ? message : null;
  } catch {
    return null;
  }
}
