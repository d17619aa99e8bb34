/**
 * An agent's side of the daemon's socket as a process of its own, honest or not, under any user. It imports nothing but Node's
 * own modules, because a test hands its text to a user who may not read this folder. It prints its state as JSON lines.
 */
import { readFileSync, writeSync } from "node:fs";
import { connect, type Socket } from "node:net";

export interface PeerOptions {
  socket: string;
  app: string;
  /** First 24 hex digits of the instance ids; the connection's number follows. */
  instancePrefix: string;
  connections: number;
  /** Time over which the connects are spread; 0 for all at once. */
  connectWithinMs: number;
  /**
   * greet: HELLO, then silence. silent: not even HELLO. flood: frames as fast as they are taken. paced: a frame in `everyMs`.
   * drip: after WELCOME a message that is never finished, a byte in `everyMs`; drip-hello: HELLO that way.
   */
  behaviour: "greet" | "silent" | "flood" | "paced" | "drip" | "drip-hello";
  everyMs: number;
  /** Frames that a connection sends at most. */
  frames: number;
  /** A SPANS message, which is sent again and again with another sequence number and time. */
  framesFile: string;
  /** What HELLO says; 0 for the truth. */
  claimedPid: number;
  claimedStartUnixMs: number;
  firstUnacknowledged: number;
  /** Becomes this user after the first WELCOME, and connects again; 0 for not. */
  becomeUid: number;
  /** Connects again, a second later, when its HELLO came too late for the daemon: on a busy machine it may. */
  comesAgain: boolean;
}

export interface PeerState {
  pid: number;
  connected: number;
  welcomed: number;
  closed: number;
  /** Closed without a REFUSE. */
  closedSilently: number;
  refused: Record<string, number>;
  refusals: string[];
  errors: Record<string, number>;
  sentFrames: number;
  ackedFrames: number;
  /** Connections of which every frame is acknowledged. */
  finished: number;
  ackP50Ms: number;
  ackP99Ms: number;
  /** The latest refusal or close, in ms after the connect. */
  slowestCloseMs: number;
  isSecondUser: boolean;
  cameAgain: number;
}

const HEADER_BYTES = 5;
const TYPE = { hello: 1, welcome: 2, refuse: 3, spans: 4, ack: 7 };
const MAX_UNACKNOWLEDGED = 64;
const REPORT_EVERY_MS = 200;
const REFUSALS_KEPT = 5;
const COME_AGAIN_AFTER_MS = 1_000;

function message(type: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(payload.length + 1, 0);
  header[4] = type;
  return Buffer.concat([header, payload]);
}

/** Announces 1 MiB. */
const ENDLESS = message(TYPE.spans, Buffer.alloc(1_048_575));

/** One connection. */
class Peer {
  readonly #options: PeerOptions;
  readonly #number: number;
  readonly #state: PeerState;
  readonly #frame: Buffer;
  readonly #latenciesMs: number[];
  readonly #sentAt = new Map<number, number>();
  #socket: Socket;
  #pending: Buffer = Buffer.alloc(0);
  #sequence = 0;
  #acked = 0;
  #connectedAt = 0;
  #wasRefused = false;
  #isComingAgain = false;
  #isWelcome = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: PeerOptions, number: number, state: PeerState, frame: Buffer, latenciesMs: number[]) {
    this.#options = options;
    this.#number = number;
    this.#state = state;
    this.#frame = frame;
    this.#latenciesMs = latenciesMs;
    this.#socket = this.#connect();
  }

  #connect(): Socket {
    const socket = connect(this.#options.socket);
    socket.on("connect", () => {
      this.#state.connected++;
      this.#connectedAt = performance.now();
      this.#greet();
    });
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("drain", () => this.#send());
    socket.on("error", (error: NodeJS.ErrnoException) => {
      const code = error.code ?? "unknown";
      this.#state.errors[code] = (this.#state.errors[code] ?? 0) + 1;
    });
    socket.on("close", () => {
      if (this.#timer !== null) clearInterval(this.#timer);
      if (this.#connectedAt === 0 || socket !== this.#socket || this.#isComingAgain) return;
      // A HELLO so late that not even the refusal of it was read.
      if (this.#options.comesAgain && !this.#isWelcome && !this.#wasRefused) {
        this.#comeAgain();
        return;
      }
      this.#state.closed++;
      if (!this.#wasRefused) this.#state.closedSilently++;
      const ms = performance.now() - this.#connectedAt;
      this.#state.slowestCloseMs = Math.max(this.#state.slowestCloseMs, Math.round(ms));
    });
    return socket;
  }

  #greet(): void {
    const { behaviour } = this.#options;
    if (behaviour === "silent") return;
    const json = JSON.stringify({
      app: this.#options.app,
      instance: `${this.#options.instancePrefix}${String(this.#number).padStart(8, "0")}`,
      pid: this.#options.claimedPid || process.pid,
      startUnixMs: this.#options.claimedStartUnixMs || Math.round(performance.timeOrigin),
      runtime: "peer 1",
      agentVersion: "0",
      firstUnacknowledged: this.#options.firstUnacknowledged,
    });
    const hello = message(TYPE.hello, Buffer.concat([Buffer.of(1, 0), Buffer.from(json)]));
    if (behaviour === "drip-hello") this.#drip(hello);
    else this.#socket.write(hello);
  }

  #read(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= HEADER_BYTES) {
      const end = 4 + this.#pending.readUInt32LE(0);
      if (this.#pending.length < end) return;
      this.#hear(this.#pending.readUInt8(4), this.#pending.subarray(HEADER_BYTES, end));
      this.#pending = this.#pending.subarray(end);
    }
  }

  #hear(type: number, payload: Buffer): void {
    if (type === TYPE.welcome) this.#welcome(JSON.parse(payload.toString()) as { lastSequence: number });
    else if (type === TYPE.refuse) {
      const { code, message: sentence } = JSON.parse(payload.toString()) as { code: string; message: string };
      if (this.#options.comesAgain && code === "HELLO_MALFORMED") {
        this.#comeAgain();
        return;
      }
      this.#wasRefused = true;
      this.#state.refused[code] = (this.#state.refused[code] ?? 0) + 1;
      if (this.#state.refusals.length < REFUSALS_KEPT) this.#state.refusals.push(sentence);
      this.#socket.destroy();
    } else if (type === TYPE.ack) this.#acknowledge(payload.readUInt32LE(0));
  }

  #comeAgain(): void {
    this.#state.cameAgain++;
    this.#isComingAgain = true;
    const old = this.#socket;
    setTimeout(() => {
      this.#isComingAgain = false;
      this.#socket = this.#connect();
      old.destroy();
    }, COME_AGAIN_AFTER_MS);
  }

  #welcome({ lastSequence }: { lastSequence: number }): void {
    this.#state.welcomed++;
    this.#isWelcome = true;
    const { behaviour, becomeUid, everyMs } = this.#options;
    if (becomeUid !== 0 && !this.#state.isSecondUser) {
      this.#state.isSecondUser = true;
      process.setuid?.(becomeUid);
      const old = this.#socket;
      this.#socket = this.#connect();
      old.destroy();
      return;
    }
    this.#sequence = Math.max(this.#sequence, lastSequence);
    this.#acked = this.#sequence;
    if (behaviour === "flood") this.#send();
    else if (behaviour === "paced") this.#timer = setInterval(() => this.#send(), everyMs);
    else if (behaviour === "drip") {
      this.#drip(ENDLESS);
    }
  }

  #acknowledge(upTo: number): void {
    const now = performance.now();
    for (; this.#acked < upTo; this.#acked++) {
      const sentAt = this.#sentAt.get(this.#acked + 1);
      this.#sentAt.delete(this.#acked + 1);
      if (sentAt !== undefined) this.#latenciesMs.push(now - sentAt);
      this.#state.ackedFrames++;
    }
    if (this.#acked === this.#options.frames) this.#state.finished++;
    if (this.#options.behaviour === "flood") this.#send();
  }

  #send(): void {
    const { behaviour, frames } = this.#options;
    const most = behaviour === "paced" ? 1 : MAX_UNACKNOWLEDGED;
    for (let sent = 0; sent < most; sent++) {
      if (this.#sequence >= frames || this.#socket.destroyed) return;
      if (behaviour === "flood" && this.#sequence - this.#acked >= MAX_UNACKNOWLEDGED) return;
      const copy = Buffer.from(this.#frame);
      copy.writeUInt32LE(++this.#sequence, HEADER_BYTES);
      // The frame's base moves with the clock, so that the spans belong to the current window.
      copy.writeBigUInt64LE(BigInt(Date.now()) * 1_000n, HEADER_BYTES + 8);
      this.#sentAt.set(this.#sequence, performance.now());
      this.#state.sentFrames++;
      this.#socket.write(copy);
    }
  }

  #drip(bytes: Buffer): void {
    let at = 0;
    // Enough for the length, so that the daemon knows what it waits for.
    const next = (count: number): void => {
      if (at < bytes.length && !this.#socket.destroyed) this.#socket.write(bytes.subarray(at, at + count));
      at += count;
    };
    next(HEADER_BYTES);
    this.#timer = setInterval(() => next(1), this.#options.everyMs);
  }
}

function run(options: PeerOptions): void {
  const latenciesMs: number[] = [];
  const state: PeerState = {
    pid: process.pid,
    connected: 0,
    welcomed: 0,
    closed: 0,
    closedSilently: 0,
    refused: {},
    refusals: [],
    errors: {},
    sentFrames: 0,
    ackedFrames: 0,
    finished: 0,
    ackP50Ms: 0,
    ackP99Ms: 0,
    slowestCloseMs: 0,
    isSecondUser: false,
    cameAgain: 0,
  };
  const frame = options.framesFile === "" ? Buffer.alloc(0) : readFileSync(options.framesFile);
  const peers: Peer[] = [];
  const open = (number: number): void => {
    peers.push(new Peer(options, number, state, frame, latenciesMs));
  };
  for (let number = 0; number < options.connections; number++) {
    if (options.connectWithinMs === 0) open(number);
    else setTimeout(() => open(number), (options.connectWithinMs / options.connections) * number);
  }
  const report = (): void => {
    const sorted = latenciesMs.toSorted((a, b) => a - b);
    state.ackP50Ms = sorted[sorted.length >> 1] ?? 0;
    state.ackP99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
    writeSync(1, `${JSON.stringify(state)}\n`);
  };
  setInterval(report, REPORT_EVERY_MS);
}

run(JSON.parse(process.argv[1] as string) as PeerOptions);
