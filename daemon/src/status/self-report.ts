import type { Logger } from "pino";

/** Sums since the daemon's start. */
export interface SelfTotals {
  cpuMs: number;
  received: number;
  dropped: number;
  batchesAcked: number;
  bytesSent: number;
}

export interface SelfReportOptions {
  totals: () => SelfTotals;
  self: { takePeaks(): { rssBytes: number; eventLoopDelayP99Ms: number } };
  monoMs: () => number;
  log: Logger;
}

/** Once a day, as a rule: what the daemon cost and did since the report before, in one line of the log. */
export class SelfReport {
  readonly #options: SelfReportOptions;
  #before: SelfTotals;
  #monoMs: number;

  constructor(options: SelfReportOptions) {
    this.#options = options;
    this.#before = options.totals();
    this.#monoMs = options.monoMs();
  }

  report(): void {
    const { totals, self, monoMs, log } = this.#options;
    const [now, before] = [totals(), this.#before];
    const elapsedMs = monoMs() - this.#monoMs;
    this.#before = now;
    this.#monoMs += elapsedMs;
    const peaks = self.takePeaks();
    log.info(
      {
        hours: rounded(elapsedMs / 3_600_000, 2),
        cpuRatio: elapsedMs > 0 ? rounded((now.cpuMs - before.cpuMs) / elapsedMs, 5) : 0,
        highestRssBytes: peaks.rssBytes,
        highestEventLoopDelayP99Ms: rounded(peaks.eventLoopDelayP99Ms, 1),
        spansReceived: now.received - before.received,
        spansDropped: now.dropped - before.dropped,
        batchesAcked: now.batchesAcked - before.batchesAcked,
        bytesSent: now.bytesSent - before.bytesSent,
      },
      "what this daemon cost and did since the report before",
    );
  }
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
