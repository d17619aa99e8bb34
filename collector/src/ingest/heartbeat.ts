/**
 * Notices that a daemon is gone without a word: a cut cable, a firewall that forgot the connection, a stopped process.
 *
 * Every 5 s is a beat, every third beat a ping. Eight beats without a sign of life mean that two pings were not answered, the last of
 * them at least 10 s ago: 40 s. Beats are counted, not time: a process that was itself stopped finds the answers in its
 * socket before its next beat. While nothing is read, no beat counts: answers cannot be seen either.
 */
const BEAT_MS = 5_000;
const BEATS_PER_PING = 3;
const MAX_SILENT_BEATS = 8;

export interface HeartbeatOptions {
  ping: () => void;
  isReading: () => boolean;
  onDead: () => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #timer: NodeJS.Timeout;
  #beats = 0;
  #silentBeats = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
  }

  /** The peer said something. */
  heard(): void {
    this.#silentBeats = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    if (!this.#options.isReading()) this.#silentBeats = 0;
    else if (++this.#silentBeats >= MAX_SILENT_BEATS) return this.#options.onDead();
    if (++this.#beats % BEATS_PER_PING === 0) this.#options.ping();
  }
}
