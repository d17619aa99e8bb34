/**
 * Notices that a peer is gone without a word: a cut cable, a firewall that forgot the connection, a stopped process.
 *
 * Every 5 s is a beat, every third beat a ping. Eight beats without a sign of life mean that two pings were not answered, the last of
 * them at least 10 s ago: 40 s. Beats are counted, not time: a process that was itself stopped finds the answers in its
 * socket before its next beat. Bytes that leave are a sign of life too: on a slow line a ping waits behind a large batch.
 */
const BEAT_MS = 5_000;
const BEATS_PER_PING = 3;
const MAX_SILENT_BEATS = 8;

export interface HeartbeatOptions {
  ping: () => void;
  /** Bytes that wait to leave. */
  waitingBytes: () => number;
  /** A beat has passed. */
  onBeat: () => void;
  onDead: () => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: NodeJS.Timeout | null = null;
  #beats = 0;
  #silentBeats = 0;
  #waitingBytes = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#beats = this.#silentBeats = this.#waitingBytes = 0;
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** The peer said something. */
  heard(): void {
    this.#silentBeats = 0;
  }

  #beat(): void {
    const waitingBytes = this.#options.waitingBytes();
    if (waitingBytes < this.#waitingBytes) this.heard();
    this.#waitingBytes = waitingBytes;
    if (++this.#silentBeats >= MAX_SILENT_BEATS) return this.#options.onDead();
    if (++this.#beats % BEATS_PER_PING === 0) this.#options.ping();
    this.#options.onBeat();
  }
}
