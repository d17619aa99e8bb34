/**
 * The seconds of hosts that somebody watches at this moment. A daemon is asked for its seconds as soon as the first one watches,
 * again every ASK_AGAIN_MS while anybody does, and told to end when the last one leaves; it ends by itself when this collector is
 * gone. What comes is passed on and kept for KEPT_SECONDS, for those who come second or ask by polling: it is never stored.
 */
import type { BatchHeader } from "@apm-daemon/protocol";
import { type LiveSecond, parseSecond } from "./live-second.ts";

/** A daemon that said hello. */
export interface LiveDaemon {
  host: string;
  version: string;
  /** Whether it understands WATCH. */
  isAble: boolean;
  watch(forMs: number): void;
}

/** The collector's end of one connection. */
export interface LiveLine {
  /** Takes a SECOND message, whatever it is. */
  second(message: object): void;
  /** The connection has ended. */
  leave(): void;
}

export interface LiveState {
  host: string;
  /** live: seconds come. offline: no daemon of that host is connected. old: its daemon is too old. */
  state: "live" | "offline" | "old";
  /** The daemon's; "" while offline. */
  version: string;
}

export interface Watcher {
  second(host: string, second: LiveSecond): void;
  state(state: LiveState): void;
  /** A batch of the host was stored. */
  stored(host: string, apps: ReadonlySet<string>): void;
}

const ASK_FOR_MS = 30_000;
const ASK_AGAIN_MS = 10_000;
const KEPT_SECONDS = 120;

interface Watched {
  watchers: Set<Watcher>;
  timer: NodeJS.Timeout;
  seconds: LiveSecond[];
}

export class LiveHosts {
  /** In the order in which they came: of two of one host the newer one counts. */
  readonly #daemons = new Set<LiveDaemon>();
  readonly #watched = new Map<string, Watched>();

  join(daemon: LiveDaemon): LiveLine {
    this.#daemons.add(daemon);
    const { host } = daemon;
    if (this.#watched.has(host)) {
      this.#ask(host);
      this.#tellState(host);
    }
    return {
      second: (message) => {
        if (this.#newest(host) === daemon) this.#pass(host, message);
      },
      leave: () => {
        this.#daemons.delete(daemon);
        if (!this.#watched.has(host)) return;
        this.#ask(host);
        this.#tellState(host);
      },
    };
  }

  /** Passes on the host's seconds as they come, until the answer is called. */
  watch(host: string, watcher: Watcher): () => void {
    let watched = this.#watched.get(host);
    if (watched === undefined) {
      const timer = setInterval(() => this.#ask(host), ASK_AGAIN_MS);
      timer.unref();
      watched = { watchers: new Set(), timer, seconds: [] };
      this.#watched.set(host, watched);
      this.#ask(host);
    }
    watched.watchers.add(watcher);
    watcher.state(this.stateOf(host));
    return () => this.#leave(host, watcher);
  }

  /** What was kept of a host that is watched, after a second. */
  kept(host: string, afterSec: number): LiveSecond[] {
    return this.#watched.get(host)?.seconds.filter(({ tsSec }) => tsSec > afterSec) ?? [];
  }

  stateOf(host: string): LiveState {
    const daemon = this.#newest(host);
    if (daemon === undefined) return { host, state: "offline", version: "" };
    return { host, state: daemon.isAble ? "live" : "old", version: daemon.version };
  }

  /** Tells who watches that a batch was stored, so that they need not wait for the next round. */
  stored({ host, apps }: BatchHeader): void {
    const watched = this.#watched.get(host.name);
    if (watched === undefined) return;
    const names = new Set(apps.map(({ app }) => app));
    for (const watcher of watched.watchers) watcher.stored(host.name, names);
  }

  #leave(host: string, watcher: Watcher): void {
    const watched = this.#watched.get(host);
    watched?.watchers.delete(watcher);
    if (watched === undefined || watched.watchers.size > 0) return;
    clearInterval(watched.timer);
    this.#watched.delete(host);
    const daemon = this.#newest(host);
    if (daemon?.isAble) daemon.watch(0);
  }

  #ask(host: string): void {
    const daemon = this.#newest(host);
    if (daemon?.isAble) daemon.watch(ASK_FOR_MS);
  }

  #tellState(host: string): void {
    for (const watcher of this.#watched.get(host)?.watchers ?? []) watcher.state(this.stateOf(host));
  }

  #pass(host: string, message: object): void {
    const watched = this.#watched.get(host);
    const second = watched && parseSecond(message);
    // What nobody watches, is no second, or was said before, is passed over.
    if (!watched || !second || second.tsSec <= (watched.seconds.at(-1)?.tsSec ?? 0)) return;
    watched.seconds.push(second);
    if (watched.seconds.length > KEPT_SECONDS) watched.seconds.shift();
    for (const watcher of watched.watchers) watcher.second(host, second);
  }

  #newest(host: string): LiveDaemon | undefined {
    return [...this.#daemons].findLast((daemon) => daemon.host === host);
  }
}
