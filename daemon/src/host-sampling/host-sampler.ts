import { existsSync } from "node:fs";
import {
  type FailingSampler,
  HOST_METRICS,
  type HostSnapshot,
  type ProcessState,
  type SecondsTable,
} from "@apm-daemon/protocol";
import type { SelfSecond } from "../status/self-usage.ts";
import type { BusyProcess } from "./busiest-processes.ts";
import type { HostCoverage, HostSource } from "./host-source.ts";
import { LinuxSampler } from "./linux-sampler.ts";
import { PortableSampler } from "./portable-sampler.ts";
import type { ProcessIoRate } from "./process-io.ts";
import type { ProcessTree } from "./process-trees.ts";
import { SecondsRing } from "./seconds-ring.ts";
import { UploadResolution } from "./upload-resolution.ts";

export interface HostSamplerOptions {
  /** Default /proc; where it has no `stat`, the portable source is used. */
  procRoot?: string;
  /** Default /etc/passwd. */
  passwdFile?: string;
  /** Files of processes that may stay open, see process-files.ts. Default 0. */
  maxProcessFiles?: number;
  /** Seconds kept. Default an hour: 1.4 MB of the host's numbers, 0.4 MB of who was busiest, and 1.2 MB of their names at most. */
  ringSeconds?: number;
  /** Seconds of one row that is sent. Default 1. */
  resolutionSec?: number | undefined;
  /** The daemon's own numbers of the second: columns that begin with "daemon". */
  self?: (monoMs: number) => SelfSecond;
}

/** Samples the host, one row per second named by the beat, and keeps the last rows. */
export class HostSampler {
  readonly #source: HostSource;
  readonly #ring: SecondsRing;
  readonly #upload: UploadResolution;
  readonly #self: HostSamplerOptions["self"];
  #newestTsSec = 0;

  constructor(options: HostSamplerOptions = {}) {
    const {
      procRoot = "/proc",
      passwdFile = "/etc/passwd",
      ringSeconds = 3_600,
      maxProcessFiles = 0,
    } = options;
    this.#source = existsSync(`${procRoot}/stat`)
      ? new LinuxSampler({ procRoot, passwdFile, maxProcessFiles, busiestSeconds: ringSeconds })
      : new PortableSampler();
    this.#upload = new UploadResolution(HOST_METRICS, options.resolutionSec);
    this.#self = options.self;
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
    const values = this.#source.sample(monoMs, tsSec);
    this.#ring.push(tsSec, this.#self === undefined ? values : { ...values, ...this.#self(monoMs) });
  }

  /** The seconds since the last drain, at the resolution that is sent: columns of HOST_METRICS. */
  drain(): SecondsTable {
    return this.#upload.drain(this.#ring);
  }

  /** The seconds from one to another, both included, as far as the ring goes back: columns of HOST_METRICS. */
  between(fromTsSec: number, toTsSec: number): SecondsTable {
    return this.#ring.between(fromTsSec, toTsSec);
  }

  /** The processes that were among the busiest of these seconds, by CPU descending; none where the system does not tell. */
  busiest(fromTsSec: number, toTsSec: number): BusyProcess[] {
    return this.#source.busiest(fromTsSec, toTsSec);
  }

  /** The processes with most CPU in the last second and those with most memory, described now; and which second that is. */
  busiestNow(): { processes: ProcessState[]; tsSec: number } {
    return { processes: this.#source.busiestNow(), tsSec: this.#newestTsSec };
  }

  /** The descendants of these processes, see process-trees.ts; none where the system does not tell. */
  trees(roots: ReadonlySet<number>): ReadonlyMap<number, ProcessTree> {
    return this.#source.trees(roots);
  }

  /** What a process read from and wrote to disks in the last second; null where that is not known. */
  ioOf(pid: number): ProcessIoRate | null {
    return this.#source.ioOf(pid);
  }

  /** How much of the host's processes was read in the last second; null where the system does not tell. */
  get processCoverage(): HostCoverage | null {
    return this.#source.processCoverage();
  }

  /** The parts of the sampling that fail now: their values are null, and they are tried again. */
  get failing(): FailingSampler[] {
    return this.#source.failing();
  }

  /** The newest second's values by names of HOST_METRICS; all null before the first. */
  newest(): Record<string, number | null> {
    return this.#ring.newest();
  }

  /** The host's parts; rates are averages since the last call, and their lists empty before the second sample. */
  snapshot(): HostSnapshot {
    return { tsSec: this.#newestTsSec, ...this.#source.snapshot() };
  }

  /** The daemon stops: the next drain has all that there is. */
  release(): void {
    this.#upload.release();
  }

  /** Reads sizes of filesystems anew, in the background. */
  refreshFilesystems(): void {
    this.#source.refreshFilesystems();
  }

  /** Closes the kernel's files. */
  stop(): void {
    this.#source.stop();
  }
}
