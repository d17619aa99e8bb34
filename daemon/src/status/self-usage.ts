/** The daemon's own CPU and memory: what a monitor costs must be seen. */
export class SelfUsage {
  #cpuUs = 0;
  #monoMs = 0;
  #cpuRatio = 0;

  /** Measures the CPU since the last call; call it every few seconds. */
  measure(): void {
    const { user, system } = process.cpuUsage();
    const now = performance.now();
    if (this.#monoMs > 0) this.#cpuRatio = (user + system - this.#cpuUs) / 1_000 / (now - this.#monoMs);
    this.#cpuUs = user + system;
    this.#monoMs = now;
  }

  read(): { cpuRatio: number; rssBytes: number } {
    return { cpuRatio: this.#cpuRatio, rssBytes: process.memoryUsage.rss() };
  }
}
