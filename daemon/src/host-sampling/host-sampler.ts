import { existsSync } from "node:fs";
import { HOST_METRICS, type HostSnapshot, type SecondsTable } from "@apm-daemon/protocol";
import type { HostSource } from "./host-source.ts";
import { LinuxSampler } from "./linux-sampler.ts";
import { PortableSampler } from "./portable-sampler.ts";
import { SecondsRing } from "./seconds-ring.ts";

export interface HostSamplerOptions {
  /** Default /proc; where it has no `stat`, the portable source is used. */
  procRoot?: string;
  /** Default /etc/passwd. */
  passwdFile?: string;
  /** Seconds kept for those who drain late. Default 120. */
  ringSeconds?: number;
}

/** Samples the host, one row per second named by the beat, and keeps the last rows. */
export class HostSampler {
  readonly #source: HostSource;
  readonly #ring: SecondsRing;
  #newestTsSec = 0;

  constructor(options: HostSamplerOptions = {}) {
    const { procRoot = "/proc", passwdFile = "/etc/passwd", ringSeconds = 120 } = options;
    this.#source = existsSync(`${procRoot}/stat`)
      ? new LinuxSampler(procRoot, passwdFile)
      : new PortableSampler();
    this.#ring = new SecondsRing(
      HOST_METRICS.map((metric) => metric.name),
      ringSeconds,
    );
  }

  /** Seconds lost because nobody drained the ring in time. */
  get overwrittenSeconds(): number {
    return this.#ring.overwrittenSeconds;
  }

  /** Samples now and names the row `tsSec`; `monoMs` is the monotonic time, for rates. */
  tick(tsSec: number, monoMs: number): void {
    this.#newestTsSec = tsSec;
    this.#ring.push(tsSec, this.#source.sample(monoMs));
  }

  /** The seconds since the last drain: columns of HOST_METRICS. */
  drain(): SecondsTable {
    return this.#ring.drain();
  }

  /** The newest second's values by names of HOST_METRICS; all null before the first. */
  newest(): Record<string, number | null> {
    return this.#ring.newest();
  }

  /** The host's parts; rates are averages since the last call, and their lists empty before the second sample. */
  snapshot(): HostSnapshot {
    return { tsSec: this.#newestTsSec, ...this.#source.snapshot() };
  }

  /** Closes the kernel's files. */
  stop(): void {
    this.#source.stop();
  }
}
