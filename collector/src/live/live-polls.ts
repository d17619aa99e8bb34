import type { LiveHosts, LiveState } from "./live-hosts.ts";
import type { LiveSecond } from "./live-second.ts";

export interface LiveAnswer extends LiveState {
  /** Ascending. */
  seconds: Pick<LiveSecond, "tsSec" | "values">[];
}

/** Who polls is taken to watch for so long. */
const LEASE_MS = 15_000;
/** Hosts that are watched by polling at once; a poll of another one gets no seconds. */
const MAX_LEASES = 100;

/** Watching for browsers that get no WebSocket through: each poll keeps the host watched for a while. */
export class LivePolls {
  readonly #liveHosts: LiveHosts;
  readonly #leases = new Map<string, { timer: NodeJS.Timeout; leave: () => void }>();

  constructor(liveHosts: LiveHosts) {
    this.#liveHosts = liveHosts;
  }

  /** The host's seconds after one, as far as they are known; none at the first poll. */
  poll(host: string, afterSec: number): LiveAnswer {
    this.#watch(host);
    const seconds = this.#liveHosts.kept(host, afterSec).map(({ tsSec, values }) => ({ tsSec, values }));
    return { ...this.#liveHosts.stateOf(host), seconds };
  }

  stop(): void {
    for (const host of this.#leases.keys()) this.#end(host);
  }

  #watch(host: string): void {
    const lease = this.#leases.get(host);
    if (lease !== undefined) return void lease.timer.refresh();
    if (this.#leases.size >= MAX_LEASES) return;
    const nothing = (): void => undefined;
    const leave = this.#liveHosts.watch(host, { second: nothing, state: nothing, stored: nothing });
    const timer = setTimeout(() => this.#end(host), LEASE_MS);
    timer.unref();
    this.#leases.set(host, { timer, leave });
  }

  #end(host: string): void {
    const lease = this.#leases.get(host);
    this.#leases.delete(host);
    clearTimeout(lease?.timer);
    lease?.leave();
  }
}
