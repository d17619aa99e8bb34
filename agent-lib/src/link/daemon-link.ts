/**
 * The connection to the daemon.
 *
 *   waiting ──timer──► connecting ──connect──► greeting ──WELCOME──► ready
 *      ▲                   │                      │                    │
 *      └───────────────────┴── any close, REFUSE, garbage ─────────────┘
 *
 * Frames leave the ring only when the daemon acknowledged them (ACK, or WELCOME after a reconnect, which says what it
 * has); after a reconnect the rest is sent again, in order. Nothing here waits, throws into the app, or keeps the
 * process alive. Not promised: that a daemon which stops reading gets anything beyond what the ring holds.
 */
import { accessSync } from "node:fs";
import {
  type AgentSettings,
  decodeAck,
  decodeRefuse,
  decodeSettings,
  decodeWelcome,
  encodeHello,
  type Hello,
  MessageReader,
  MessageType,
  ProtocolError,
} from "@apm-daemon/protocol";
import type { AgentLog } from "../agent-log.ts";
import { DaemonSocket } from "./daemon-socket.ts";
import type { SocketPlaces } from "./default-sockets.ts";
import type { FrameRing } from "./frame-ring.ts";
import { reconnectDelayMs } from "./reconnect-delay.ts";

export type LinkState = "waiting" | "connecting" | "greeting" | "ready" | "stopped";

export interface DaemonLinkOptions {
  /** Where to look for the daemon's socket. */
  readonly sockets: SocketPlaces;
  readonly ring: FrameRing;
  readonly identity: Omit<Hello, "firstUnacknowledged">;
  readonly log: AgentLog;
  readonly onSettings: (settings: AgentSettings) => void;
  /** The ring may have room again. */
  readonly onAcknowledged: () => void;
  readonly random?: () => number;
}

/** Written in one go before the app gets its turn again. */
const MAX_BURST_BYTES = 1_048_576;
const MAX_SOCKET_PATH_BYTES = 107;
const FIRST_RETRY_MS = 5;
const MAX_RETRY_MS = 100;
/** At exit: how long a daemon that keeps reading may take what is left. */
const EXIT_PATIENCE_MS = 500;
/** At exit: how long a daemon may pause before it is given up. */
const EXIT_PAUSE_MS = 100;
/** What a daemon says is far shorter; whoever announces more is none. */
export const MAX_DAEMON_MESSAGE_BYTES = 65_536;

export class DaemonLink {
  readonly #options: DaemonLinkOptions;
  readonly #random: () => number;
  #state: LinkState = "waiting";
  #socket: DaemonSocket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  #pathIndex = 0;
  #retryAfterMs = 0;
  #retryMs = FIRST_RETRY_MS;
  /** The frame to write next. */
  #cursor = 1;
  /** What must leave before the frame at the cursor: the rest of a message that the kernel took in part. */
  #partial: { message: Buffer; at: number } | null = null;
  /** Time given to the daemon at exit so far. */
  #exitWaitedMs = 0;
  #exitPausedMs = 0;

  constructor(options: DaemonLinkOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  get state(): LinkState {
    return this.#state;
  }

  start(): void {
    this.#connect();
  }

  /** Writes what the ring has, as far as the kernel takes it. */
  send(): void {
    if (this.#state !== "ready" || this.#timer !== null) return;
    this.#pump();
  }

  /**
   * Writes what is left, synchronously; for a process about to end. May be called again for what came later; all calls
   * together take no longer than EXIT_PATIENCE_MS.
   */
  sendAtExit(): void {
    this.#clearTimer();
    try {
      if (this.#state === "waiting") this.#connect();
      const socket = this.#socket;
      if (socket === null) return;
      // A Unix socket is connected when connect() returns, before Node tells; what is written then is not lost.
      if (this.#state === "connecting") this.#greet();
      this.#drainAtExit(socket);
    } catch {
      // No daemon: what is left is lost with the process.
    }
    this.#state = "stopped";
  }

  stop(): void {
    this.sendAtExit();
    this.#socket?.close();
    this.#socket = null;
  }

  #connect(): void {
    this.#clearTimer();
    const path = this.#choosePath();
    if (path === null) {
      this.#onClose(null, new Error("no socket there"));
      return;
    }
    this.#state = "connecting";
    const onMessage = (type: number, payload: Buffer): void => this.#onMessage(type, payload);
    const reader = new MessageReader(onMessage, MAX_DAEMON_MESSAGE_BYTES);
    const socket: DaemonSocket = new DaemonSocket(path, {
      onConnect: () => this.#ifCurrent(socket, () => this.#state === "connecting" && this.#greet()),
      onData: (chunk) => this.#ifCurrent(socket, () => reader.push(chunk)),
      onClose: (error) => this.#onClose(socket, error),
    });
    this.#socket = socket;
  }

  /** The best place that has a socket; after a failure the next one. */
  #choosePath(): string | null {
    const present = this.#options.sockets.paths.filter((path) => this.#isUsable(path) && mayExist(path));
    return present.length === 0 ? null : (present[this.#pathIndex++ % present.length] as string);
  }

  #isUsable(path: string): boolean {
    const distrust = this.#options.sockets.distrust(path);
    if (distrust !== null) this.#options.log.sayOnce(`distrust ${path}`, distrust);
    return distrust === null && this.#isShort(path);
  }

  /** Node would cut a longer path silently, and connect to another socket. */
  #isShort(path: string): boolean {
    if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return true;
    this.#options.log.sayOnce(
      `path ${path}`,
      `the socket path ${path} is longer than ${MAX_SOCKET_PATH_BYTES} bytes, which no Unix socket can have: choose a shorter one`,
    );
    return false;
  }

  /** Runs a socket's event; what goes wrong in it closes the connection and nothing else. */
  #ifCurrent(socket: DaemonSocket, handle: () => void): void {
    if (socket !== this.#socket || this.#state === "stopped") return;
    try {
      handle();
    } catch (error) {
      if (error instanceof ProtocolError)
        this.#options.log.sayOnce(
          "garbage",
          `what answers at ${this.#places()} is no apm-daemon: ${error.message}`,
        );
      socket.close();
    }
  }

  #greet(): void {
    this.#state = "greeting";
    const { ring, identity } = this.#options;
    this.#cursor = ring.firstHeld;
    this.#partial = null;
    this.#write(encodeHello({ ...identity, firstUnacknowledged: ring.firstHeld }));
  }

  #onMessage(type: number, payload: Buffer): void {
    if (type === MessageType.ack && this.#state === "ready")
      this.#acknowledge(decodeAck(payload), this.#lastSent());
    else if (type === MessageType.welcome && this.#state === "greeting") this.#welcome(payload);
    else if (type === MessageType.settings) this.#options.onSettings(decodeSettings(payload));
    else if (type === MessageType.refuse) this.#refuse(payload);
  }

  #welcome(payload: Buffer): void {
    const welcome = decodeWelcome(payload);
    this.#options.onSettings(welcome.settings);
    this.#state = "ready";
    this.#acknowledge(welcome.lastSequence, this.#options.ring.nextSequence - 1);
    this.#cursor = this.#options.ring.firstHeld;
    this.#pump();
  }

  /** The last frame that the kernel took whole. */
  #lastSent(): number {
    return this.#partial === null ? this.#cursor - 1 : this.#cursor - 2;
  }

  #acknowledge(sequence: number, lastKnown: number): void {
    const { ring } = this.#options;
    if (sequence > lastKnown)
      throw new ProtocolError(
        "FRAME_MALFORMED",
        `it acknowledges frame ${sequence}, which it was never sent`,
      );
    this.#failures = 0;
    this.#pathIndex = 0;
    ring.release(sequence);
    this.#cursor = Math.max(this.#cursor, ring.firstHeld);
    this.#options.onAcknowledged();
  }

  #refuse(payload: Buffer): void {
    const refuse = decodeRefuse(payload);
    this.#retryAfterMs = Math.min(refuse.retryAfterMs, 3_600_000);
    this.#options.log.sayOnce(`refused ${refuse.code}`, `the daemon refused this app: ${refuse.message}`);
    this.#socket?.close();
  }

  #onClose(socket: DaemonSocket | null, error: Error | null): void {
    if (socket !== this.#socket || this.#state === "stopped") return;
    if (this.#state === "waiting" || this.#state === "connecting") this.#sayAbsent(error);
    this.#clearTimer();
    this.#socket = null;
    this.#state = "waiting";
    const delayMs = this.#retryAfterMs + reconnectDelayMs(this.#failures++, this.#random);
    this.#retryAfterMs = 0;
    this.#setTimer(delayMs, () => this.#connect());
  }

  #sayAbsent(error: NodeJS.ErrnoException | null): void {
    if (error?.code === "EACCES") {
      this.#options.log.sayOnce(
        "forbidden",
        `this user may not enter or open the daemon's socket (${error.message}); the app runs on, spans wait in bounded memory. Ask for membership in the socket's group, or set another APM_SOCKET.`,
      );
      return;
    }
    const reason = error === null ? "it closed the connection" : error.message;
    this.#options.log.sayOnce(
      "absent",
      `no daemon at ${this.#places()} (${reason}); the app runs on, spans wait in bounded memory. Start one with "apm up" or "apm daemon", or set APM_SOCKET.`,
    );
  }

  #places(): string {
    return this.#options.sockets.paths.join(" or ");
  }

  #pump(): void {
    this.#clearTimer();
    const socket = this.#socket;
    if (socket === null) return;
    try {
      const isDone = this.#writeFrames(socket, MAX_BURST_BYTES);
      if (isDone) this.#retryMs = FIRST_RETRY_MS;
      else {
        this.#setTimer(this.#retryMs, () => this.#pump());
        this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
      }
    } catch {
      socket.close();
    }
  }

  /** True when all is written; false when the kernel has no room or the burst is over. */
  #writeFrames(socket: DaemonSocket, maxBytes: number): boolean {
    const { ring } = this.#options;
    for (let leftBytes = maxBytes; leftBytes > 0; ) {
      if (this.#partial === null) {
        const frame = ring.at(this.#cursor);
        if (frame === undefined) return true;
        this.#cursor++;
        this.#partial = { message: frame.message, at: 0 };
      }
      const wroteBytes = socket.write(this.#partial.message, this.#partial.at);
      if (wroteBytes === 0) return false;
      this.#retryMs = FIRST_RETRY_MS;
      leftBytes -= wroteBytes;
      this.#partial.at += wroteBytes;
      if (this.#partial.at === this.#partial.message.length) this.#partial = null;
    }
    return false;
  }

  #write(message: Buffer): void {
    this.#partial = { message, at: 0 };
    const socket = this.#socket;
    if (socket === null) return;
    const wroteBytes = socket.write(message, 0);
    this.#partial = wroteBytes === message.length ? null : { message, at: wroteBytes };
  }

  /** Writes until all is written, or the daemon does not read on. */
  #drainAtExit(socket: DaemonSocket): void {
    const clock = new Int32Array(new SharedArrayBuffer(4));
    for (;;) {
      const [cursor, at] = [this.#cursor, this.#partial?.at];
      if (this.#writeFrames(socket, Number.MAX_SAFE_INTEGER)) return;
      const isPaused = cursor === this.#cursor && at === this.#partial?.at;
      this.#exitPausedMs = isPaused ? this.#exitPausedMs + 1 : 0;
      if (++this.#exitWaitedMs > EXIT_PATIENCE_MS || this.#exitPausedMs > EXIT_PAUSE_MS) return;
      Atomics.wait(clock, 0, 0, 1);
    }
  }

  #setTimer(delayMs: number, run: () => void): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      run();
    }, delayMs);
    this.#timer.unref();
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/**
 * Whether to try: what must not be looked at may be there, and connecting says the truth. Not by statSync: after that of a
 * socket, Node 20 leaves the symbolic links of modules that the app loads next unresolved, so that they are loaded twice.
 */
function mayExist(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== "ENOENT" && code !== "ENOTDIR";
  }
}
