import type { TimeUse, Wait } from "./request-time.ts";

type Pool = "stalled" | "working" | "idle" | "local" | "remote";

/**
 * The time of one request, split by what could have made it longer. Each cause takes what it explains, so that no
 * instant is explained twice; all are shares of the request.
 *
 * stalled   the event loop was busy and the process had no CPU: it waited for one, or for memory or a disk
 * working   the event loop was busy and the process computed
 * idle      the event loop was idle and so was no call: timers, files, whatever runs in other threads
 * local     waits for databases, caches and services on this host
 * remote    those elsewhere
 */
export class TimePools {
  /** Whether the process had a CPU for most of the time in which its loop was busy. */
  readonly isComputing: boolean;
  readonly #active: number;
  readonly #idle: number;
  readonly #local: number;
  readonly #remote: number;
  readonly #left: Record<Pool, number>;
  readonly #isLocal: (target: string) => boolean;

  constructor(
    use: TimeUse,
    process: { loopBusyRatio: number | null; cpuRatio: number | null },
    isLocal: (target: string) => boolean,
  ) {
    // Where nothing is known of the process its code may have been busy half of the time, and half of that without a CPU.
    const busy = process.loopBusyRatio ?? Math.min(1, process.cpuRatio ?? 0.5);
    const computing = Math.min(busy, process.cpuRatio ?? busy / 2);
    const waiting = 1 - use.code;
    const local = use.waits
      .filter(({ target }) => isLocal(target))
      .reduce((sum, { ratio }) => sum + ratio, 0);
    this.isComputing = computing >= busy / 2;
    this.#isLocal = isLocal;
    this.#active = use.code * busy;
    this.#idle = use.code * (1 - busy);
    this.#local = Math.min(waiting, local);
    this.#remote = waiting - this.#local;
    this.#left = {
      stalled: use.code * (busy - computing),
      working: use.code * computing,
      idle: this.#idle,
      local: this.#local,
      remote: this.#remote,
    };
  }

  get remoteWait(): number {
    return this.#remote;
  }

  /** What is left of the time in which the process computed. */
  get working(): number {
    return this.#left.working;
  }

  /** A ratio of the time in which the loop was busy, as far as it lacked a CPU. */
  takeStalled(ratio: number): number {
    return this.#take("stalled", ratio * this.#active);
  }

  takeWorking(ratio: number): number {
    return this.#take("working", ratio);
  }

  takeIdle(ratio: number): number {
    return this.#take("idle", ratio * this.#idle);
  }

  takeLocalWait(ratio: number): number {
    return this.#take("local", ratio * this.#local);
  }

  takeRemoteWait(ratio: number): number {
    return this.#take("remote", ratio * this.#remote);
  }

  /** Of one wait, what nobody took. */
  unexplainedOf({ target, ratio }: Wait): number {
    const [whole, left] = this.#isLocal(target)
      ? [this.#local, this.#left.local]
      : [this.#remote, this.#left.remote];
    return whole > 0 ? (ratio * left) / whole : 0;
  }

  #take(pool: Pool, wanted: number): number {
    const taken = Math.min(this.#left[pool], Math.max(0, wanted));
    this.#left[pool] -= taken;
    return taken;
  }
}
