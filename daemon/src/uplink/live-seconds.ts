import {
  type LiveRequests,
  MAX_LIVE_APPS,
  parseWatch,
  type UplinkMessage,
  type UplinkSecond,
} from "@apm-daemon/protocol";

/** The connection on which somebody watches. */
export interface WatchingSocket {
  readonly readyState: number;
  readonly OPEN: number;
  readonly bufferedAmount: number;
  send(text: string): void;
}

/** Batches matter more: while so much waits for the network, seconds are left out. */
const MAX_WAITING_BYTES = 1_048_576;

/**
 * The seconds of the host, and the requests counted in them, for somebody who looks at this moment: sent once, at once, never
 * kept. While nobody watches, a request and a second cost one comparison each.
 */
export class LiveSeconds {
  readonly #monoMs: () => number;
  readonly #apps = new Map<string, LiveRequests>();
  #socket: WatchingSocket | null = null;
  #untilMonoMs = 0;

  constructor(monoMs: () => number) {
    this.#monoMs = monoMs;
  }

  /** Takes a WATCH that came on this connection. */
  watch(socket: WatchingSocket, message: UplinkMessage): void {
    const watch = parseWatch(message);
    if (watch === null) return;
    if (this.#socket === null) this.#apps.clear();
    this.#socket = watch.forMs > 0 ? socket : null;
    this.#untilMonoMs = this.#monoMs() + watch.forMs;
  }

  get isWatched(): boolean {
    return this.#socket !== null;
  }

  /** A request was counted. */
  countRequest(app: string, durationUs: number, isError: boolean): void {
    if (this.#socket === null) return;
    let counts = this.#apps.get(app);
    if (counts === undefined) {
      counts = { app, requests: 0, errors: 0, sumUs: 0 };
      this.#apps.set(app, counts);
    }
    counts.requests++;
    if (isError) counts.errors++;
    counts.sumUs += durationUs;
  }

  /** A second was sampled; `values` are asked for only when they are sent. */
  second(tsSec: number, values: () => Record<string, number | null>): void {
    const socket = this.#socket;
    if (socket === null) return;
    if (socket.readyState !== socket.OPEN || this.#monoMs() >= this.#untilMonoMs) {
      this.#socket = null;
      this.#apps.clear();
      return;
    }
    const apps = [...this.#apps.values()].sort((a, b) => b.requests - a.requests).slice(0, MAX_LIVE_APPS);
    this.#apps.clear();
    if (socket.bufferedAmount > MAX_WAITING_BYTES) return;
    const second: UplinkSecond = { type: "second", tsSec, values: values(), apps };
    socket.send(JSON.stringify(second));
  }
}
