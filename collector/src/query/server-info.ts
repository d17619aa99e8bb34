import type { JobStatus } from "../maintenance-jobs.ts";
import { Lately } from "../store/lately.ts";
import type { Store, StoreSize } from "../store/store.ts";

export interface ServerAnswer {
  version: string;
  nowUnixMs: number;
  hosts: number;
  apps: number;
  store: StoreSize;
  uplinks: number;
  /** What became of the store's own work. */
  jobs: JobStatus[];
}

const DAY_SEC = 86_400;

/** Each open tab asks every 15 s; counting apps looks through a day. */
const COUNTS_FRESH_MS = 10_000;

/** The collector about itself; apps are those of the last day. Hosts and apps are as of at most 10 s ago. */
export class ServerInfo {
  readonly #store: Store;
  readonly #counts: Lately<Pick<ServerAnswer, "hosts" | "apps">> = new Lately(COUNTS_FRESH_MS);

  constructor(store: Store) {
    this.#store = store;
  }

  async answer(self: {
    version: string;
    nowMs: number;
    uplinks: number;
    jobs: JobStatus[];
  }): Promise<ServerAnswer> {
    const [counts, size] = await Promise.all([
      this.#counts.get("", () => this.#count(self.nowMs)),
      this.#store.size(),
    ]);
    return {
      version: self.version,
      nowUnixMs: self.nowMs,
      ...counts,
      store: size,
      uplinks: self.uplinks,
      jobs: self.jobs,
    };
  }

  async #count(nowMs: number): Promise<Pick<ServerAnswer, "hosts" | "apps">> {
    const nowSec = Math.floor(nowMs / 1000);
    const [hosts, apps] = await Promise.all([
      this.#store.hosts.all(),
      this.#store.apps.seen({ fromSec: Math.max(0, nowSec - DAY_SEC), toSec: nowSec + DAY_SEC }),
    ]);
    return { hosts: hosts.length, apps: apps.length };
  }
}
