import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";

/** Its timer wakes the daemon: at 100 ms that was a tenth of what a quiet host costs. */
const DELAY_RESOLUTION_MS = 250;
/** What the status tells of. */
const SHOWN_SECONDS = 10;
const NS_PER_MS = 1e6;

export interface SelfSecond {
  daemonCpuRatio: number | null;
  daemonRssBytes: number;
  daemonEventLoopDelayP99Ms: number;
}

/** The daemon's own CPU, memory and event-loop delay: what a monitor costs must be seen. */
export class SelfUsage {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  readonly #seconds: SelfSecond[] = [];
  #peaks = { rssBytes: 0, eventLoopDelayP99Ms: 0 };
  #cpuUs = 0;
  #monoMs = Number.NaN;

  constructor() {
    this.#delay.enable();
  }

  /** Since the last call; call it once a second. */
  sample(monoMs: number): SelfSecond {
    const { user, system } = process.cpuUsage();
    const elapsedMs = monoMs - this.#monoMs;
    const p99Ns = this.#delay.count === 0 ? 0 : this.#delay.percentile(99);
    this.#delay.reset();
    const second = {
      daemonCpuRatio: elapsedMs > 0 ? (user + system - this.#cpuUs) / 1_000 / elapsedMs : null,
      daemonRssBytes: process.memoryUsage.rss(),
      daemonEventLoopDelayP99Ms: Math.max(0, p99Ns / NS_PER_MS - DELAY_RESOLUTION_MS),
    };
    this.#cpuUs = user + system;
    this.#monoMs = monoMs;
    this.#peaks = {
      rssBytes: Math.max(this.#peaks.rssBytes, second.daemonRssBytes),
      eventLoopDelayP99Ms: Math.max(this.#peaks.eventLoopDelayP99Ms, second.daemonEventLoopDelayP99Ms),
    };
    this.#seconds.push(second);
    if (this.#seconds.length > SHOWN_SECONDS) this.#seconds.shift();
    return second;
  }

  /** Over the last ten seconds: the mean of CPU, the highest delay; memory now. */
  read(): { cpuRatio: number; rssBytes: number; eventLoopDelayP99Ms: number } {
    const ratios = this.#seconds.flatMap(({ daemonCpuRatio }) => daemonCpuRatio ?? []);
    return {
      cpuRatio: ratios.length === 0 ? 0 : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length,
      rssBytes: process.memoryUsage.rss(),
      eventLoopDelayP99Ms: Math.max(
        0,
        ...this.#seconds.map(({ daemonEventLoopDelayP99Ms }) => daemonEventLoopDelayP99Ms),
      ),
    };
  }

  /** The highest of all seconds since the last call. */
  takePeaks(): { rssBytes: number; eventLoopDelayP99Ms: number } {
    const peaks = this.#peaks;
    this.#peaks = { rssBytes: 0, eventLoopDelayP99Ms: 0 };
    return peaks;
  }

  stop(): void {
    this.#delay.disable();
  }
}
