/**
 * The connection to the collector.
 *
 *   waiting --timer--> connecting --WELCOME--> connected --close, silence--> waiting
 *                          └── 401 and the like: refused, then as waiting
 *
 * A batch leaves the outbox only when the collector has said that it is committed, or will never be. What is sent next is
 * decided by send-queue.ts, how much at a time by in-flight.ts, when to come back by reconnect-wait.ts.
 */
import {
  decodeBatchIdentity,
  type HostIdentity,
  LIVE_FEATURE,
  MAX_UPLINK_MESSAGE_BYTES,
  type UplinkFound,
  type UplinkHello,
  type UplinkMessage,
  type UplinkNack,
  type UplinkWant,
} from "@apm-daemon/protocol";
import type { Logger } from "pino";
import type { WebSocket } from "ws";
import type { CollectorSettings } from "../settings/collector-settings.ts";
import { answerWant } from "./answer-want.ts";
import { answerWantText } from "./answer-want-text.ts";
import { applySettings } from "./apply-settings.ts";
import { type ConnectionFailure, openSocket } from "./collector-socket.ts";
import { Heartbeat } from "./heartbeat.ts";
import { InFlight } from "./in-flight.ts";
import type { LiveSeconds } from "./live-seconds.ts";
import { ReconnectWait } from "./reconnect-wait.ts";
import type { Refusal, RefusedBatches } from "./refused-batches.ts";
import type { SendQueue } from "./send-queue.ts";

export interface UplinkOptions {
  /** ws:// or wss:// address of the collector, without a path. */
  url: string;
  /** Reads the license key anew for each connection, so that it can be rotated; null when there is none. */
  readKey: () => string | null;
  host: HostIdentity;
  queue: SendQueue;
  refused: RefusedBatches;
  /** Answers what the collector wants of the journal; never rejects. Without it such questions stay unanswered. */
  find?: (want: UplinkWant) => Promise<UplinkFound[]>;
  /** Sends seconds to who watches; without it the daemon does not offer it. */
  live?: LiveSeconds;
  /** Takes what is set in the console. Without it the daemon says that it knows of no settings. */
  settings?: Pick<CollectorSettings, "isTaken" | "current" | "take">;
  /** A statement's text by its fingerprint, "" where it is not known. Without it such questions stay unanswered. */
  statementText?: (fingerprint: string) => string;
  position: () => { stream: string; nextNumber: number };
  log: Logger;
  clock: { unixMs(): number };
  random: () => number;
}

export type UplinkState = "connected" | "connecting" | "waiting" | "refused";

/** Bounds of the pause that a collector may ask for. */
const MIN_PAUSE_MS = 200;
const MAX_PAUSE_MS = 300_000;
/** Daemons that were told the same pause come back over half of it more. */
const PAUSE_JITTER = 0.5;
/** Pause after a batch could not be read from the disk, and until a refused one is tried again that could not be put aside. */
const DISK_PAUSE_MS = 5_000;
/** From the upgrade to WELCOME. */
const WELCOME_WITHIN_MS = 15_000;
/** A collector's commit may wait for a checkpoint of its store: measured up to 2.5 s. */
const ACK_WITHIN_MS = 30_000;

export class Uplink {
  readonly #options: UplinkOptions;
  readonly #wait: ReconnectWait;
  readonly #inFlight: InFlight = new InFlight();
  readonly #heartbeat: Heartbeat;
  /** Refused for good, and not put aside yet. */
  readonly #refused: Set<string> = new Set();
  /** Said to be damaged once: that may have happened on the way. */
  readonly #saidDamaged: Set<string> = new Set();
  #refusals: Promise<void> = Promise.resolve();
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #welcomeTimer: NodeJS.Timeout | null = null;
  /** Set while nothing is sent because the collector, or a failing disk, asked for a pause. */
  #pauseTimer: NodeJS.Timeout | null = null;
  #hungUpReason = "";
  #isStopped = false;
  #waitingForEmpty: (() => void)[] = [];
  state: UplinkState = "waiting";
  /** Why there is no connection; "" when there is. */
  reason = "not connected yet";
  readonly counts = { acked: 0, bytesSent: 0, nacked: 0, connects: 0 };
  lastAckUnixMs: number | null = null;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#wait = new ReconnectWait(options.random);
    this.#heartbeat = new Heartbeat({
      ping: () => this.#socket?.ping(),
      waitingBytes: () => this.bufferedBytes,
      onBeat: () => this.#checkAnswers(),
      onDead: () => this.#hangUp("the collector was silent for 40 s"),
    });
  }

  /** Whether a batch was sent and not answered. */
  isOnItsWay(key: string): boolean {
    return this.#inFlight.has(key);
  }

  /** Bytes of batches that were sent and not answered. */
  get inFlightBytes(): number {
    return this.#inFlight.bytes;
  }

  /** Bytes that wait in this process until the network takes them. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  start(): void {
    this.#connect();
  }

  /** Tells that the outbox has something new. */
  notify(): void {
    this.#sendMore();
  }

  /** Sends what waits, at most until the deadline, then closes. */
  async stop(withinMs: number): Promise<void> {
    if (this.state === "connected" && this.#options.queue.count > 0) await this.#empty(withinMs);
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#stopTimers();
    this.#socket?.close(1000);
    this.#socket?.terminate();
    await this.#refusals;
  }

  #connect(): void {
    const { url, readKey, clock } = this.#options;
    // Trying again does not heal a refusal: it stands until something else is known.
    if (this.state !== "refused") this.state = "connecting";
    let key: string | null = null;
    try {
      key = readKey();
    } catch (error) {
      this.#retry({ state: "refused", reason: (error as Error).message, retryAfterMs: 0 });
      return;
    }
    this.#socket = openSocket({
      url,
      key,
      nowUnixMs: () => clock.unixMs(),
      onOpen: (socket) => this.#hello(socket),
      onMessage: (socket, data, isBinary) => this.#receive(socket, data, isBinary),
      onPing: () => this.#heartbeat.heard(),
      onPong: (data) => this.#ponged(data),
      onClose: (failure) => this.#closed(failure),
    });
  }

  #hello(socket: WebSocket): void {
    const { host, position, live, settings } = this.#options;
    const settingsRevision = settings?.isTaken ? settings.current.revision : null;
    const hello: UplinkHello = {
      type: "hello",
      version: 1,
      host,
      ...position(),
      ...(live && { features: [LIVE_FEATURE] }),
      ...(settings !== undefined && { settingsRevision }),
    };
    socket.send(JSON.stringify(hello));
    this.#heartbeat.start();
    // A peer that never says WELCOME is left too.
    this.#welcomeTimer = setTimeout(
      () => this.#hangUp("the collector did not say WELCOME"),
      WELCOME_WITHIN_MS,
    );
  }

  #receive(socket: WebSocket, data: Buffer, isBinary: boolean): void {
    this.#heartbeat.heard();
    if (isBinary) return;
    let message: UplinkMessage | null;
    try {
      message = JSON.parse(data.toString("utf8"));
    } catch {
      this.#options.log.warn(
        { bytes: data.length },
        "the collector sent a message that is not JSON; is the address a collector's?",
      );
      return;
    }
    if (message?.type === "welcome") this.#welcomed(message.reconnectSpreadMs);
    else if (message?.type === "ack") this.#acknowledged(message.stream, message.number);
    else if (message?.type === "nack") this.#nacked(message);
    else if (message?.type === "fleet") this.#wait.spread(message.reconnectSpreadMs);
    else if (message?.type === "settings") void applySettings(socket, message, this.#options.settings);
    else if (message?.type === "want") void answerWant(socket, message, this.#options);
    else if (message?.type === "watch") this.#options.live?.watch(socket, message);
    else if (message?.type === "want_text") answerWantText(socket, message, this.#options.statementText);
  }

  #welcomed(reconnectSpreadMs: number | undefined): void {
    if (this.#welcomeTimer !== null) clearTimeout(this.#welcomeTimer);
    this.#wait.spread(reconnectSpreadMs);
    this.state = "connected";
    this.reason = "";
    this.counts.connects++;
    this.#options.log.info(
      { collector: this.#options.url, waiting: this.#options.queue.count },
      "connected to the collector",
    );
    this.#sendMore();
  }

  /** The pong of the ping behind a batch carries its place: all up to it has been received. */
  #ponged(data: Buffer): void {
    this.#heartbeat.heard();
    this.#inFlight.received(Number(data.toString("latin1")), performance.now());
    this.#sendMore();
  }

  #checkAnswers(): void {
    if (performance.now() - this.#inFlight.oldestReceivedMs() > ACK_WITHIN_MS)
      this.#hangUp("the collector received a batch and did not answer for 30 s");
  }

  #acknowledged(stream: string, number: number): void {
    const batch = this.#inFlight.answered({ stream, number });
    if (batch === null) return;
    this.#options.queue.delete(batch.key);
    this.#saidDamaged.delete(batch.key);
    this.counts.acked++;
    this.lastAckUnixMs = this.#options.clock.unixMs();
    this.reason = "";
    this.#wait.reset();
    this.#sendMore();
  }

  #nacked(nack: UplinkNack): void {
    const batch = this.#inFlight.answered(nack);
    if (batch === null) return;
    this.counts.nacked++;
    const isDamagedOnTheWay = nack.code === "BATCH_CORRUPT" && !this.#saidDamaged.delete(batch.key);
    if (isDamagedOnTheWay) {
      this.#saidDamaged.add(batch.key);
      this.#pause(0, nack.message);
    } else if (nack.permanent) {
      this.#refuse(batch.key, { code: nack.code, message: nack.message });
    } else {
      this.#pause(nack.retryAfterMs, nack.message);
    }
    this.#sendMore();
  }

  /** The peer, or something before it, takes shorter messages only: the batch is to blame that it had not received whole. */
  #tooBig(): void {
    const batch = this.#inFlight.largestUnreceived();
    if (batch === null) return;
    const message = `the collector closed the connection because a message of ${batch.bytes} bytes is too large`;
    this.#refuse(batch.key, { code: "BATCH_TOO_LARGE", message });
  }

  /** One at a time: each may hold a whole batch in memory. */
  #refuse(key: string, refusal: Refusal): void {
    const { refused, log } = this.#options;
    this.#refused.add(key);
    this.#refusals = this.#refusals
      .then(() => refused.take(key, refusal))
      .then(
        () => {
          this.#refused.delete(key);
          this.#sendMore();
        },
        (error: unknown) => {
          log.error(
            { err: error, batch: key },
            "a refused batch cannot be put aside; it is tried again, free disk space or check the state folder",
          );
          setTimeout(() => {
            this.#refused.delete(key);
            this.#sendMore();
          }, DISK_PAUSE_MS).unref();
        },
      );
  }

  #pause(wantedMs: number, reason: string): void {
    const pauseMs = Math.min(Math.max(Number.isFinite(wantedMs) ? wantedMs : 0, MIN_PAUSE_MS), MAX_PAUSE_MS);
    const jitteredMs = pauseMs * (1 + PAUSE_JITTER * this.#options.random());
    this.reason = reason;
    // The timer itself ends the pause: one that fires a part of a millisecond before a noted time would find it still on.
    if (this.#pauseTimer !== null) clearTimeout(this.#pauseTimer);
    this.#pauseTimer = setTimeout(() => {
      this.#pauseTimer = null;
      this.#sendMore();
    }, jitteredMs).unref();
  }

  #sendMore(): void {
    const { queue } = this.#options;
    if (queue.count === 0) for (const resolve of this.#waitingForEmpty.splice(0)) resolve();
    const isTaken = (key: string): boolean => this.#refused.has(key) || this.#inFlight.has(key);
    for (;;) {
      const { room } = this.#inFlight;
      if (this.state !== "connected" || room === "none" || this.#pauseTimer !== null) return;
      const key = queue.next(isTaken, room === "fresh");
      if (key === null || !this.#send(key)) return;
    }
  }

  /** Sends a batch, or puts it out of the way; false when that must wait. */
  #send(key: string): boolean {
    const bytes = this.#read(key);
    if (bytes === "later") return false;
    if (bytes === null) return true;
    const identity = decodeBatchIdentity(bytes);
    if (bytes.length > MAX_UPLINK_MESSAGE_BYTES) {
      this.#refuse(key, {
        code: "BATCH_TOO_LARGE",
        message: `${bytes.length} bytes are too much for a message`,
      });
      return true;
    }
    if (/^\d+$/.test(key) && identity.number !== Number(key)) {
      this.#options.queue.quarantine(key);
      this.#options.log.error(
        { batch: key },
        "a batch has another number than its file; it was put into outbox/quarantine",
      );
      return true;
    }
    if (this.#socket === null || !this.#inFlight.hasRoomFor(bytes.length)) return false;
    this.#socket.send(bytes);
    this.#socket.ping(String(this.#inFlight.add(identity, key, bytes.length)));
    this.#options.queue.sent(key, bytes.length);
    this.counts.bytesSent += bytes.length;
    return true;
  }

  /** A batch's bytes; null when it is gone, "later" when it cannot be read now. */
  #read(key: string): Uint8Array | null | "later" {
    try {
      return this.#options.queue.read(key);
    } catch (error) {
      this.#options.log.error(
        { err: error, batch: key },
        "a batch cannot be read from the outbox; it is tried again, check the state folder",
      );
      this.#pause(DISK_PAUSE_MS, `a batch cannot be read from the outbox: ${(error as Error).message}`);
      return "later";
    }
  }

  #empty(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const deadline = setTimeout(resolve, withinMs);
      this.#waitingForEmpty.push(() => {
        clearTimeout(deadline);
        resolve();
      });
    });
  }

  /** Ends the connection without the peer, which may be gone. */
  #hangUp(reason: string): void {
    this.#hungUpReason = reason;
    this.#socket?.terminate();
  }

  #closed(failure: ConnectionFailure): void {
    this.#stopTimers();
    if (failure.isMessageTooBig) this.#tooBig();
    this.#inFlight.clear();
    this.#socket = null;
    const reason = this.#hungUpReason === "" ? failure.reason : this.#hungUpReason;
    this.#hungUpReason = "";
    if (!this.#isStopped) this.#retry({ ...failure, reason });
  }

  #retry({ state, reason, retryAfterMs: pauseMs }: Omit<ConnectionFailure, "isMessageTooBig">): void {
    const waitMs = this.#wait.next(pauseMs);
    const { url: collector, queue, log } = this.#options;
    if (this.reason !== reason)
      log.warn(
        { collector, waiting: queue.count, nextTryMs: Math.round(waitMs) },
        `${reason}; batches wait in the outbox`,
      );
    this.state = state;
    this.reason = reason;
    this.#timer = setTimeout(() => this.#connect(), waitMs);
  }

  #stopTimers(): void {
    this.#heartbeat.stop();
    if (this.#welcomeTimer !== null) clearTimeout(this.#welcomeTimer);
  }
}
