/**
 * The connection to the collector.
 *
 *   waiting --timer--> connecting --WELCOME--> connected --close, silence--> waiting
 *                          └── 401 and the like: refused, then as waiting
 *
 * A batch leaves the outbox only when the collector has said that it is committed. Batches are sent newest first, every
 * third place goes to the oldest, so that a backlog drains beside live data.
 */
import {
  decodeBatchIdentity,
  type HostIdentity,
  MAX_UPLINK_MESSAGE_BYTES,
  parseWant,
  UPLINK_SUBPROTOCOL,
  type UplinkFound,
  type UplinkHello,
  type UplinkMessage,
  type UplinkNack,
  type UplinkWant,
} from "@apm-daemon/protocol";
import type { Logger } from "pino";
import { WebSocket } from "ws";
import type { Outbox } from "../outbox/outbox.ts";
import { Backoff } from "./backoff.ts";

export interface UplinkOptions {
  /** ws:// or wss:// address of the collector, without a path. */
  url: string;
  /** Reads the license key anew for each connection, so that it can be rotated; null when there is none. */
  readKey: () => string | null;
  host: HostIdentity;
  outbox: Outbox;
  /** Answers what the collector wants of the journal; never rejects. Without it such questions stay unanswered. */
  find?: (want: UplinkWant) => Promise<UplinkFound[]>;
  position: () => { stream: string; nextNumber: number };
  log: Logger;
  clock: { unixMs(): number };
  random: () => number;
}

export type UplinkState = "connected" | "connecting" | "waiting" | "refused";

const MAX_IN_FLIGHT = 4;
/** Bounds of the pause that a collector may ask for. */
const MIN_PAUSE_MS = 200;
const MAX_PAUSE_MS = 300_000;
/** Pause after a batch could not be read from the disk. */
const UNREADABLE_PAUSE_MS = 5_000;
const PING_MS = 15_000;
const CONNECT_WITHIN_MS = 10_000;
/** A collector's commit may wait for a checkpoint of its store: measured up to 2.5 s. */
const ACK_WITHIN_MS = 30_000;

export class Uplink {
  readonly #options: UplinkOptions;
  readonly #backoff: Backoff;
  readonly #inFlight = new Map<number, number>();
  #socket: WebSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #beat: NodeJS.Timeout | null = null;
  #pausedUntilMs = 0;
  #sent = 0;
  #missedPongs = 0;
  #isStopped = false;
  #waitingForEmpty: (() => void)[] = [];
  state: UplinkState = "waiting";
  /** Why there is no connection; "" when there is. */
  reason = "not connected yet";
  readonly counts = { acked: 0, bytesSent: 0, nacked: 0, deadLettered: 0, connects: 0 };
  lastAckUnixMs: number | null = null;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#backoff = new Backoff(500, 30_000, options.random);
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
    if (this.state === "connected" && this.#options.outbox.count > 0) await this.#empty(withinMs);
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#stopBeat();
    this.#socket?.close(1000);
    this.#socket?.terminate();
  }

  #connect(): void {
    const { url, readKey } = this.#options;
    // Trying again does not heal a refusal: it stands until something else is known.
    if (this.state !== "refused") this.state = "connecting";
    let key: string | null = null;
    try {
      key = readKey();
    } catch (error) {
      this.#retry("refused", (error as Error).message);
      return;
    }
    const socket = new WebSocket(`${url.replace(/\/+$/, "")}/uplink`, UPLINK_SUBPROTOCOL, {
      headers: key === null ? {} : { authorization: `Bearer ${key}` },
      perMessageDeflate: false,
      maxPayload: MAX_UPLINK_MESSAGE_BYTES,
      handshakeTimeout: CONNECT_WITHIN_MS,
    });
    this.#socket = socket;
    let failure: { state: UplinkState; reason: string } = {
      state: "waiting",
      reason: "the collector closed the connection",
    };
    socket.on("open", () => this.#hello(socket));
    socket.on("message", (data, isBinary) => this.#receive(socket, data as Buffer, isBinary));
    socket.on("pong", () => {
      this.#missedPongs = 0;
    });
    socket.on("unexpected-response", (_request, response) => {
      failure = { state: "refused", reason: refusalOf(response.statusCode ?? 0, url) };
      response.resume();
      socket.terminate();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (failure.state !== "refused")
        failure = {
          state: "waiting",
          reason: `cannot reach the collector at ${url}: ${error.code ?? error.message}`,
        };
    });
    socket.on("close", () => this.#closed(failure));
  }

  #hello(socket: WebSocket): void {
    const { host, position } = this.#options;
    const hello: UplinkHello = { type: "hello", version: 1, host, ...position() };
    socket.send(JSON.stringify(hello));
    this.#startBeat();
  }

  #receive(socket: WebSocket, data: Buffer, isBinary: boolean): void {
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
    if (message?.type === "welcome") this.#welcomed();
    else if (message?.type === "ack") this.#acknowledged(message.stream, message.number);
    else if (message?.type === "nack") this.#refused(message);
    else if (message?.type === "want") void this.#answer(socket, parseWant(message));
  }

  async #answer(socket: WebSocket, want: UplinkWant | null): Promise<void> {
    const { find, log } = this.#options;
    if (want === null)
      log.warn(
        "the collector asked for traces in a way that this daemon does not understand: are both of one release?",
      );
    if (want === null || find === undefined) return;
    // Answers that the connection does not take must not pile up here.
    const isFull = socket.bufferedAmount > MAX_UPLINK_MESSAGE_BYTES;
    const messages = isFull ? [busyAnswer(want.id)] : await find(want);
    for (const message of messages)
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  }

  #welcomed(): void {
    this.state = "connected";
    this.reason = "";
    this.counts.connects++;
    this.#options.log.info(
      { collector: this.#options.url, waiting: this.#options.outbox.count },
      "connected to the collector",
    );
    this.#sendMore();
  }

  #checkLife(): void {
    const oldest = Math.min(...this.#inFlight.values());
    const isSilent =
      this.state !== "connected" || ++this.#missedPongs > 2 || performance.now() - oldest > ACK_WITHIN_MS;
    if (isSilent) this.#socket?.terminate();
    else this.#socket?.ping();
  }

  #acknowledged(stream: string, number: number): void {
    if (stream !== this.#options.position().stream || !this.#inFlight.delete(number)) return;
    this.#options.outbox.delete(number);
    this.counts.acked++;
    this.lastAckUnixMs = this.#options.clock.unixMs();
    this.reason = "";
    this.#backoff.reset();
    this.#sendMore();
  }

  #refused(nack: UplinkNack): void {
    if (nack.stream !== this.#options.position().stream || !this.#inFlight.delete(nack.number)) return;
    this.counts.nacked++;
    if (nack.permanent) {
      this.counts.deadLettered++;
      this.#options.outbox.quarantine(nack.number);
      this.#options.log.error(
        { batch: nack.number, code: nack.code },
        `the collector cannot use a batch: ${nack.message}; it was put into outbox/quarantine`,
      );
    } else {
      this.#pause(nack.retryAfterMs, nack.message);
    }
    this.#sendMore();
  }

  #pause(wantedMs: number, reason: string): void {
    const pauseMs = Math.min(Math.max(Number.isFinite(wantedMs) ? wantedMs : 0, MIN_PAUSE_MS), MAX_PAUSE_MS);
    this.#pausedUntilMs = performance.now() + pauseMs;
    this.reason = reason;
    setTimeout(() => this.#sendMore(), pauseMs + 1).unref();
  }

  #sendMore(): void {
    if (this.#options.outbox.count === 0) for (const resolve of this.#waitingForEmpty.splice(0)) resolve();
    while (
      this.state === "connected" &&
      this.#socket !== null &&
      performance.now() >= this.#pausedUntilMs &&
      this.#inFlight.size < MAX_IN_FLIGHT
    ) {
      const waiting = this.#options.outbox.numbers().filter((candidate) => !this.#inFlight.has(candidate));
      const number = ++this.#sent % 3 === 0 ? waiting[0] : waiting.at(-1);
      if (number === undefined) return;
      this.#send(this.#socket, number);
    }
  }

  #send(socket: WebSocket, number: number): void {
    const bytes = this.#read(number);
    if (bytes === null) return;
    const identity = decodeBatchIdentity(bytes);
    if (
      bytes.length > MAX_UPLINK_MESSAGE_BYTES ||
      identity.stream !== this.#options.position().stream ||
      identity.number !== number
    ) {
      this.#options.outbox.quarantine(number);
      this.counts.deadLettered++;
      this.#options.log.error(
        { batch: number, bytes: bytes.length },
        "a batch is too large, or of another stream or number; it was put into outbox/quarantine",
      );
      return;
    }
    this.#inFlight.set(number, performance.now());
    this.counts.bytesSent += bytes.length;
    socket.send(bytes);
  }

  /** A batch's bytes; null when it cannot be sent now. */
  #read(number: number): Uint8Array | null {
    try {
      return this.#options.outbox.read(number);
    } catch (error) {
      this.#options.log.error(
        { err: error, batch: number },
        "a batch cannot be read from the outbox; it is tried again, check the state folder",
      );
      this.#pause(UNREADABLE_PAUSE_MS, `a batch cannot be read from the outbox: ${(error as Error).message}`);
      return null;
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

  #closed({ state, reason }: { state: UplinkState; reason: string }): void {
    this.#stopBeat();
    this.#inFlight.clear();
    this.#socket = null;
    if (!this.#isStopped) this.#retry(state, reason);
  }

  #retry(state: UplinkState, reason: string): void {
    if (this.reason !== reason)
      this.#options.log.warn(
        { collector: this.#options.url, waiting: this.#options.outbox.count },
        `${reason}; batches wait in the outbox`,
      );
    this.state = state;
    this.reason = reason;
    this.#timer = setTimeout(() => this.#connect(), this.#backoff.next());
  }

  /** From the upgrade on, so that a peer that never says WELCOME is left too. */
  #startBeat(): void {
    this.#missedPongs = 0;
    this.#beat = setInterval(() => this.#checkLife(), PING_MS);
  }

  #stopBeat(): void {
    if (this.#beat !== null) clearInterval(this.#beat);
    this.#beat = null;
  }
}

function busyAnswer(id: number): UplinkFound {
  return { type: "found", id, parts: [], hasMore: false, oldestUnixMs: null, gap: "busy" };
}

function refusalOf(status: number, url: string): string {
  if (status === 401)
    return `the collector at ${url} refuses the license key: make one there with "apm key create NAME" and name its file as license_key_file`;
  return `the collector at ${url} refuses the connection with HTTP status ${status}: check that the address is a collector's`;
}
