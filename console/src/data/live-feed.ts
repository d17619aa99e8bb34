/**
 * What happens at this moment, from the collector: over one WebSocket, else by asking once a second. A hidden tab watches nothing.
 *
 *   connecting ──open──► open ──close──► waiting ──RETRY_MS──► connecting
 *                                           └── meanwhile a host is polled
 */
import { getJson } from "./get-json.ts";
import { isLoginNeeded } from "./login-state.ts";
import { apiPaths } from "./paths.ts";

export type LiveTopic = { host: string } | { app: string };

export interface LiveSecond {
  host: string;
  tsSec: number;
  /** Of a host. */
  values?: Record<string, number | null>;
  /** Of an app, on this host. */
  requests?: number;
  errors?: number;
  sumUs?: number;
}

export interface LiveState {
  host: string;
  state: "live" | "offline" | "old";
  version: string;
}

export interface LiveHandlers {
  second(second: LiveSecond): void;
  state(state: LiveState): void;
  /** A window was stored: what the page shows of it can be asked for. */
  stored(): void;
  /** Whether the WebSocket does not get through, so that the page is as fresh as its polling. */
  polling(isPolling: boolean): void;
}

type LiveMessage = ({ type: "second" } & LiveSecond) | ({ type: "state" } & LiveState) | { type: "stored" };

/** The collector's word for it. */
const CLOSE_LOGIN_ENDED = 4401;
const RETRY_MS = 10_000;
const POLL_MS = 1000;

/** Follows a topic until the answer is called. */
export function followLive(topic: LiveTopic, handlers: LiveHandlers): () => void {
  const feed = new LiveFeed(topic, handlers);
  const changed = (): void => feed.setShown(!document.hidden);
  document.addEventListener("visibilitychange", changed);
  changed();
  return () => {
    document.removeEventListener("visibilitychange", changed);
    feed.setShown(false);
  };
}

class LiveFeed {
  readonly #topic: LiveTopic;
  readonly #handlers: LiveHandlers;
  #socket: WebSocket | null = null;
  #retry: number | undefined;
  #poll: number | undefined;
  #call: AbortController | null = null;
  #afterSec = 0;

  constructor(topic: LiveTopic, handlers: LiveHandlers) {
    this.#topic = topic;
    this.#handlers = handlers;
  }

  setShown(isShown: boolean): void {
    if (isShown && this.#socket === null && this.#retry === undefined) this.#connect();
    if (!isShown) this.#end();
  }

  #connect(): void {
    this.#retry = undefined;
    const socket = new WebSocket(apiPaths.live());
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#stopPolling();
      this.#handlers.polling(false);
      socket.send(JSON.stringify({ watch: this.#topic }));
    });
    socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(String(data)) as LiveMessage));
    socket.addEventListener("close", ({ code }) => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (code === CLOSE_LOGIN_ENDED) void showLogIn();
      this.#retry = window.setTimeout(() => this.#connect(), RETRY_MS);
      this.#handlers.polling(true);
      this.#startPolling();
    });
  }

  #take(message: LiveMessage): void {
    if (message.type === "second") this.#second(message);
    else if (message.type === "state") this.#handlers.state(message);
    else if (message.type === "stored") this.#handlers.stored();
  }

  #second(second: LiveSecond): void {
    this.#afterSec = Math.max(this.#afterSec, second.tsSec);
    this.#handlers.second(second);
  }

  #startPolling(): void {
    const { host } = this.#topic as { host?: string };
    if (host === undefined || this.#poll !== undefined) return;
    const ask = async (): Promise<void> => {
      this.#call = new AbortController();
      try {
        const response = await fetch(apiPaths.hostLive(host, this.#afterSec), { signal: this.#call.signal });
        if (response.status === 401) isLoginNeeded.value = true;
        const { seconds, ...state } = (await response.json()) as LiveState & { seconds: LiveSecond[] };
        if (!response.ok || this.#call.signal.aborted) return;
        this.#handlers.state(state);
        for (const second of seconds) this.#second({ ...second, host });
      } catch {
        // The collector is away: the sidebar says so, and the next round asks again.
      }
    };
    this.#poll = window.setInterval(() => void ask(), POLL_MS);
    void ask();
  }

  #stopPolling(): void {
    window.clearInterval(this.#poll);
    this.#poll = undefined;
    this.#call?.abort();
  }

  #end(): void {
    window.clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#stopPolling();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}

/** The log-in page comes up with the first call that is refused; none is when another tab has logged in anew. */
async function showLogIn(): Promise<void> {
  await getJson(apiPaths.server(), AbortSignal.timeout(10_000)).catch(() => undefined);
}
